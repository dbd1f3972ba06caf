# containerd is killed and started again: the shims keep the containers, and neither does the leadership.
. ./leadership.sh
leadership_survives containerd
