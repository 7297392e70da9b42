#!/bin/sh
# A shell on the console: run.sh --shell.
exec setsid cttyhack sh < /dev/ttyS0 > /dev/ttyS0 2>&1
