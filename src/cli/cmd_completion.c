/* handover completion: what bash, zsh and fish run when the Tab key is pressed. The proposals are the program's own (complete.h), so
 * that a script does not become old. */
#include "commands.h"
#include "common.h"
#include <string.h>

static const char bash[] =
    "# handover completion bash: source it, or put it into /usr/share/bash-completion/completions/handover\n"
    "_handover() {\n"
    "  local line=${COMP_LINE:0:COMP_POINT} words cur reply directive=4 r\n"
    "  read -ra words <<<\"$line\"\n"
    "  [[ $line == *[[:space:]] ]] && words+=('')\n"
    "  cur=${words[${#words[@]}-1]}\n"
    "  COMPREPLY=()\n"
    "  while IFS= read -r r; do\n"
    "    case $r in\n"
    "      :[0-9]*) directive=${r#:} ;;\n"
    "      *) reply=${r%%$'\\t'*}; [[ $cur == *=* ]] && reply=${reply#*=}; COMPREPLY+=(\"$reply\") ;;\n"
    "    esac\n"
    "  done < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
    "  [ \"$directive\" = 4 ] || compopt -o default 2>/dev/null\n"
    "}\n"
    "complete -F _handover handover\n";

static const char zsh[] =
    "#compdef handover\n"
    "# handover completion zsh: source it behind compinit, or put it as _handover into a folder of $fpath\n"
    "_handover() {\n"
    "  local -a lines found\n"
    "  local line word directive=4\n"
    "  lines=(\"${(@f)$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "  for line in $lines; do\n"
    "    case $line in\n"
    "      :[0-9]*) directive=${line#:} ;;\n"
    "      *) word=${line%%$'\\t'*}; found+=(\"${word//:/\\\\:}:${${line#$word}#$'\\t'}\") ;;\n"
    "    esac\n"
    "  done\n"
    "  (( $#found )) && _describe handover found\n"
    "  [[ $directive == 4 ]] || _files\n"
    "}\n"
    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _handover \"$@\"; else compdef _handover handover; "
    "fi\n";

static const char fish[] =
    "# handover completion fish: source it, or put it into ~/.config/fish/completions/handover.fish\n"
    "function __handover_complete\n"
    "  set -l words (commandline -opc)\n"
    "  set -l current (commandline -ct)\n"
    "  $words[1] __complete $words[2..-1] \"$current\" 2>/dev/null | string match -v -r '^:\\\\d+$'\n"
    "end\n"
    "complete -c handover -f -a '(__handover_complete)'\n";

static const struct { const char *name, *script; } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static error_t parse(int key, char *arg, struct argp_state *st) {
    const char **script = st->input;
    switch (key) {
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < ARRAY_LEN(shells) && !*script; i++)
            if (strcmp(arg, shells[i].name) == 0) {
                *script = shells[i].script;
                return 0;
            }
        argp_error(st, "\"%s\": allowed is one of bash, zsh, fish", arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "for which shell? bash, zsh or fish"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int completion_main(int argc, char **argv) {
    struct argp argp = {.parser = parse,
                        .args_doc = "bash|zsh|fish",
                        .doc = "Prints a script for a shell: `source <(handover completion bash)`."};
    const char *script = NULL;
    int bad = cli_parse(&argp, argc, argv, &script);
    if (bad) return bad;
    fputs(script, stdout);
    return CLI_OK;
}

const struct cli_command cli_completion = {"completion", "Print a script that completes commands in a shell",
                                           completion_main};
