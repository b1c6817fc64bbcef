"""A TLS peer over Python's ssl, for the interop matrix (own-program.ts says how it is talked to)."""

import os
import select
import socket
import ssl
import sys


def main():
    role, *words = sys.argv[1:]
    wish = dict(word.split("=", 1) for word in words)
    (client if role == "client" else server)(wish)


def client(wish):
    context = context_for(ssl.PROTOCOL_TLS_CLIENT, wish)
    session = None
    if "resume" in wish:
        connection = dialled(context, wish)
        # Tickets come before the byte.
        connection.recv(1)
        session = connection.session
        closed(connection)
    connection = dialled(context, wish, session)
    say(connection, wish)
    pump(connection)


def server(wish):
    context = context_for(ssl.PROTOCOL_TLS_SERVER, wish)
    asked = {}
    context.sni_callback = lambda _connection, name, _context: asked.update(servername=name)
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        accepted, _ = listener.accept()
        try:
            connection = context.wrap_socket(accepted, server_side=True)
            say(connection, wish, **asked)
            pump(connection)
        except OSError as error:
            print("failed:", error, flush=True)
            accepted.close()


def context_for(protocol, wish):
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(wish["ca"])
    if "cert" in wish:
        context.load_cert_chain(wish["cert"], wish["key"])
    if "alpn" in wish:
        context.set_alpn_protocols(wish["alpn"].split(","))
    if "requestCert" in wish:
        context.verify_mode = ssl.CERT_REQUIRED
    if "keyLog" in wish:
        context.keylog_filename = wish["keyLog"]
    if "postHandshakeAuth" in wish:
        context.post_handshake_auth = True
        context.verify_mode = ssl.CERT_REQUIRED
    if "psk" in wish:
        key, identity = bytes.fromhex(wish["psk"]), wish["pskIdentity"]
        if protocol == ssl.PROTOCOL_TLS_CLIENT:
            context.set_psk_client_callback(lambda _hint: (identity, key))
        else:
            context.set_psk_server_callback(lambda asked: key if asked == identity else b"")
    return context


def dialled(context, wish, session=None):
    raw = socket.create_connection(("127.0.0.1", int(wish["port"])))
    return context.wrap_socket(raw, server_hostname=wish["servername"], session=session)


def say(connection, wish, **more):
    said = {"suite": connection.cipher()[0], "alpn": connection.selected_alpn_protocol(), **more}
    said["resumed"] = int(connection.session_reused)
    demanded = not connection.server_side or "requestCert" in wish
    if demanded and not connection.session_reused and "psk" not in wish:
        said["verified"] = int(bool(connection.getpeercert()))
    # Since Python 3.15.
    if hasattr(connection, "group"):
        said["group"] = connection.group()
    if not connection.server_side and hasattr(connection, "server_sigalg"):
        said["scheme"] = connection.server_sigalg()
    words = " ".join(f"{name}={value}" for name, value in said.items() if value is not None)
    print("connected", words, flush=True)


def pump(connection):
    """Passes data and commands on until the connection ends."""
    connection.setblocking(False)
    waiting = bytearray()
    inputs = [connection, sys.stdin.buffer]
    while True:
        readable, _, _ = select.select(inputs, [connection] if waiting else [], [])
        if sys.stdin.buffer in readable:
            words = os.read(0, 65536)
            if not words:
                inputs.remove(sys.stdin.buffer)
            waiting += bytes(byte for byte in words if byte >= 0x80)
            if b"c" in words:
                connection.verify_client_post_handshake()
                # It goes with the next thing that is written.
                connection.do_handshake()
            if b"q" in words:
                connection.setblocking(True)
                connection.sendall(waiting)
                closed(connection)
                return
        try:
            while waiting:
                del waiting[: connection.send(waiting)]
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            while data := connection.recv(65536):
                os.write(1, data)
            closed(connection)
            return
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass


def closed(connection):
    """Sends a close_notify and waits for theirs."""
    connection.setblocking(True)
    connection.settimeout(2)
    try:
        connection.unwrap()
    except OSError:
        pass
    connection.close()


main()
