"""sink.py PORT-FILE LOG MODE-FILE [CERT KEY] : a receiver for stories. Each request is a line of JSON in LOG; the mode says how it is answered: ok, slow (after a
minute), a status, a body in JSON, or huge (a gigabyte)."""
import http.server, json, ssl, sys, threading

port_file, log, mode_file = sys.argv[1:4]
lock = threading.Lock()


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        mode = open(mode_file).read().strip()
        line = {"path": self.path, "mode": mode, "type": self.headers.get("Content-Type"), "signature": self.headers.get("Handover-Signature"), "authorization": self.headers.get("Authorization"), "body": body}
        with lock, open(log, "a") as f:
            f.write(json.dumps(line) + "\n")
        if mode == "huge":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            try:
                for _ in range(1 << 14):
                    self.wfile.write(b" " * (1 << 16))
            except OSError:
                pass
            return
        if mode == "slow":
            threading.Event().wait(60)
        answer = mode.encode() if mode.startswith("{") else b""
        self.send_response(200 if answer or mode in ("ok", "slow") else int(mode))
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
server.daemon_threads = True
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[4:6])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file, "w") as f:
    f.write(str(server.server_address[1]))
server.serve_forever()
