#!/bin/sh
# docs/man/make.sh PROGRAM FOLDER : writes the manual pages of a handover program, handover.1 and handover-COMMAND.1, from what its commands say of
# themselves (-h), so that no option is missing or left over. Exit codes and files, which no option has, stand here.
set -eu
program=$1 folder=$2
mkdir -p "$folder"
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$program")}" +%Y-%m-%d)
version=$("$program" version | sed 's/.* //')
# Each option in one line, its text from column 60 on.
ARGP_HELP_FMT='rmargin=2000,opt-doc-col=60,short-opt-col=2,long-opt-col=6' LC_ALL=C
export ARGP_HELP_FMT LC_ALL
commands() { "$program" help | sed -n 's/^  \([a-z][a-z]*\)  *\([^ ].*\)$/\1 \2/p'; }
roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

exit_codes() { # COMMAND
  case $1 in
    run) cat <<'EOF'
.TP
.B 0
All work ended by itself, and the lease is free.
.TP
.B 3
Cut: work was cancelled at the deadline; its keys are in the checkpoint as interrupted.
.TP
.B 4
Work would not end: the lease was not released.
.TP
.B 5
The lease could not be released: the successor waits for its expiry.
.TP
.B 6
Stopped because the lease was lost or could not be renewed.
EOF
      ;;
    status | get) cat <<'EOF'
.TP
.B 3
With \-\-wait: rolled back.
.TP
.B 4
With \-\-wait: held, a person has to decide or to mend something; or another template has superseded this one.
.TP
.B 5
With \-\-wait: timed out.
EOF
      ;;
    doctor) printf '%s\n' 'It is 1 where a check says FAIL.' ;;
  esac
}

page() { # COMMAND SUMMARY
  printf '.TH HANDOVER\\-%s 1 "%s" "Handover %s" "Handover"\n.SH NAME\nhandover\\-%s \\- %s\n.SH SYNOPSIS\n' \
    "$(echo "$1" | tr a-z A-Z)" "$date" "$version" "$(echo "$1" | roff)" "$(echo "$2" | roff)"
  "$program" "$1" --help | awk '
    function roff(s) { gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); sub(/^[.\047]/, "\\\\\\&&", s); return s }
    /^Usage: / { sub(/^Usage: /, ""); part = "usage" }
    part == "usage" && /^ +or: / { sub(/^ +or: +/, ""); print ".br"; br = 1 }
    part == "usage" { if (lines++ == 0 || br) { print ".B " roff($0); br = 0; next } else { part = "doc"; print ".SH DESCRIPTION" } }
    part == "doc" && /^$/ { part = "options"; print ".SH OPTIONS"; next }
    part == "doc" { print roff($0); next }
    /^Mandatory or optional arguments/ { exit }
    /^ [A-Z]/ { sub(/^ /, ""); print ".SS " roff($0); next }
    /^ +-/ { name = substr($0, 1, 60); text = substr($0, 61); sub(/^ +/, "", name); sub(/ +$/, "", name); sub(/^ +/, "", text)
             print ".TP\n.B " roff(name); print roff(text) }'
  printf '.SH EXIT STATUS\n.TP\n.B 0\nDone.\n.TP\n.B 1\nFailed.\n.TP\n.B 2\nThe command line is wrong.\n'
  exit_codes "$1"
  printf '.SH SEE ALSO\n.BR handover (1),\n.BR kubectl (1)\n'
}

overview() {
  printf '.TH HANDOVER 1 "%s" "Handover %s" "Handover"\n.SH NAME\nhandover \\- safe upgrades for Kubernetes operators\n' "$date" "$version"
  cat <<'EOF'
.SH SYNOPSIS
.B handover
.I COMMAND
.RI [ OPTION ...]
.br
.B kubectl handover
.I COMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
An image update of a Deployment with the annotation handover.dev/canary\-percent starts a canary of the new version beside the old one; the canary is judged by its reconcile errors and
by what it does while they succeed, and promoted or rolled back. The commands below run Handover, show what it does, and give a person the last word.
.PP
As a link of the name kubectl\-handover the program is a plugin of kubectl.
.SH COMMANDS
EOF
  commands | while read -r name summary; do printf '.TP\n.BR handover\\-%s (1)\n%s\n' "$name" "$(echo "$summary" | roff)"; done
  cat <<'EOF'
.SH ENVIRONMENT
.TP
.B KUBECONFIG
Files, with colons between them, that say how to reach the API server; else the pod's service account, or ~/.kube/config.
.TP
.B POD_NAMESPACE
Where Handover's Lease is, unless \-\-lease\-namespace says so; else handover\-system.
.TP
.B NO_COLOR
Without colours, if it is not empty.
.TP
.B COLUMNS
How wide the output is, where it is no terminal.
.SH EXIT STATUS
0: done. 1: failed. 2: the command line is wrong. Commands that have more say so.
.SH SEE ALSO
.BR kubectl (1)
EOF
}

overview >"$folder/handover.1"
commands | while read -r name summary; do page "$name" "$summary" >"$folder/handover-$name.1"; done
