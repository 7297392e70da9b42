#!/bin/sh
# The kernel's LOOKUP_HANDLE by the bytes: ../wire-test.c.
wire-test
