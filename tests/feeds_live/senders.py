"""Every stock handler of Python's logging, used as people use them: senders.py CASE ADDRESS..."""

import logging
import logging.handlers as handlers
import os
import socket
import sys


def place(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def make(kind, where):
    if kind == "socket":
        return handlers.SocketHandler(*place(where))
    if kind == "socket-unix":
        return handlers.SocketHandler(where, None)
    if kind == "datagram":
        return handlers.DatagramHandler(*place(where))
    if kind in ("http-get", "http-post"):
        address, path = where.split("/", 1)
        return handlers.HTTPHandler(address, "/" + path, method=kind[5:].upper())
    if kind == "http-user":
        address, path = where.split("/", 1)
        return handlers.HTTPHandler(address, "/" + path, method="POST", credentials=("anna", "secret"))
    if kind == "syslog-udp":
        return handlers.SysLogHandler(place(where))
    if kind == "syslog-tcp":
        return handlers.SysLogHandler(place(where), socktype=socket.SOCK_STREAM)
    if kind == "syslog-unix":
        return handlers.SysLogHandler(where)
    raise SystemExit("no such handler: " + kind)


def talk(log):
    log.debug("plain")
    log.info("hello %s, %d times", u"w\u00f6rld" if sys.version_info[0] > 2 else "world", 3, extra={"run": "r7"})
    log.log(25, "own level")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("it broke")
    log.warning("two\nlines")


def many(log, count):
    for number in range(count):
        log.info("%s %d", os.getpid(), number)


def main(how, kind, where, count="1000"):
    log = logging.getLogger("app.web")
    log.setLevel(1)
    logging.addLevelName(25, "NOTICE")
    if how == "talk":
        log.addHandler(make(kind, where))
        talk(log)
    elif how == "many":
        log.addHandler(make(kind, where))
        many(log, int(count))
    elif how == "forked":
        children = []
        for _ in range(4):
            child = os.fork()
            if child == 0:
                log.addHandler(make(kind, where))
                many(log, int(count))
                logging.shutdown()
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
    logging.shutdown()


main(*sys.argv[1:])
