# A headless Chromium for stories, driven through its DevTools pipe: JSON messages that end with a NUL, its descriptor 3 in, 4 out.
# What the console and the log say of errors is in browser.errors.
CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$CHROMIUM" ] || { echo "SKIPPED: chromium is not installed"; exit 77; }
browser_session=
browser() { # starts it, with an empty page
  local target
  mkfifo "$dir/browser.in" "$dir/browser.out"
  exec 7<>"$dir/browser.in" 6<>"$dir/browser.out"
  HOME=$dir "$CHROMIUM" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --user-data-dir="$dir/browser" --hide-scrollbars --lang=en-GB \
    --disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe 3<&7 4>&6 >"$dir/browser.txt" 2>&1 & pids+=($!)
  : >"$dir/browser.errors"
  target=$(devtools Target.createTarget '{"url":"about:blank"}' | jq -r .targetId); [ -n "$target" ] || fail "the browser has no page: $(tail -3 "$dir/browser.txt")"
  browser_session=$(devtools Target.attachToTarget "{\"targetId\":\"$target\",\"flatten\":true}" | jq -r .sessionId)
  tell Log.enable; tell Runtime.enable; tell Page.enable
}
devtools() { # METHOD [PARAMS] : the result
  local said id=$((RANDOM * 32768 + RANDOM)) none='{}'
  jq -nc --argjson id "$id" --arg m "$1" --argjson p "${2:-$none}" --arg s "$browser_session" '{id:$id,method:$m,params:$p} + (if $s == "" then {} else {sessionId:$s} end)' | tr '\n' '\0' >&7
  while IFS= read -r -d '' -t 30 -u 6 said; do
    case $said in
      '{"id":'$id,*) jq -c '.result // error(.error.message)' <<<"$said"; return;;
      *'"Log.entryAdded"'*|*'"Runtime.exceptionThrown"'*) jq -c 'select(.params.entry.level != "info") | .params.entry.text // .params.exceptionDetails' <<<"$said" >>"$dir/browser.errors";;
      *'"Runtime.consoleAPICalled"'*) jq -c 'select(.params.type == "error") | .params.args' <<<"$said" >>"$dir/browser.errors";;
    esac
  done
  fail "the browser does not answer $1"
}
tell() { devtools "$@" >/dev/null; }
open_page() { tell Page.navigate "{\"url\":\"$1\"}"; }
js() { # EXPRESSION : its value, as text
  devtools Runtime.evaluate "$(jq -nc --arg e "$1" '{expression:$e,returnByValue:true,awaitPromise:true}')" | jq -r 'if .exceptionDetails then error(.exceptionDetails.exception.description) else .result.value end'
}
shows() { js "document.body.innerText" >"$dir/shown" 2>&1; grep -qE -- "$1" "$dir/shown"; } # PATTERN : a line of what can be read
shown() { until_true "${2:-20}" "the page shows $1" shows "$1"; }
shot() { # FILE WIDTH light|dark : a picture of the whole page
  tell Emulation.setEmulatedMedia "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$3\"}]}"
  tell Emulation.setDeviceMetricsOverride "{\"width\":$2,\"height\":900,\"deviceScaleFactor\":1,\"mobile\":false}"
  js 'new Promise(r => setTimeout(() => requestAnimationFrame(() => r(1)), 200))' >/dev/null # resized, drawn
  devtools Page.captureScreenshot '{"captureBeyondViewport":true}' | jq -r .data | base64 -d >"$1"
}
