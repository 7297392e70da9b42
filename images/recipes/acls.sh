# POSIX ACLs: named users and groups, masks, default ACLs. PermissionTests asks the kernel and us who may do what.
new_image 4M -t ext4
directory /for-65534 /closed /default
for entry in allowed denied masked group other; do
  echo secret | put /$entry
  set_field /$entry mode 0100640
done
access_list 1:6:-1 2:4:65534 4:0:-1 16:4:-1 32:0:-1 | attribute /allowed system.posix_acl_access
access_list 1:6:-1 2:0:65534 4:4:-1 16:4:-1 32:4:-1 | attribute /denied system.posix_acl_access
set_field /denied mode 0100644
access_list 1:6:-1 2:7:65534 4:7:-1 16:0:-1 32:0:-1 | attribute /masked system.posix_acl_access
set_field /masked mode 0100600
access_list 1:6:-1 4:0:-1 8:4:65534 16:4:-1 32:0:-1 | attribute /group system.posix_acl_access
access_list 1:7:-1 2:5:65534 4:0:-1 16:5:-1 32:0:-1 | attribute /for-65534 system.posix_acl_access
set_field /for-65534 mode 040750
echo inside | put /for-65534/readable
set_field /closed mode 040700
echo inside | put /closed/readable
access_list 1:7:-1 2:7:1000 4:5:-1 8:4:70000 16:7:-1 32:5:-1 | attribute /default system.posix_acl_default
finish
