# An incompatible feature that nobody has defined: always refused.
new_image 4M -t ext4
debug 'feature FEATURE_I31'
populate
