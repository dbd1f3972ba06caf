# The kubelet is killed and started again: no container notices, and neither does the leadership.
. ./leadership.sh
leadership_survives kubelet
