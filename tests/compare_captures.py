#!/usr/bin/env python3
"""Compares `glasspost analyze --json` of real captures with what others know of them.

  compare_captures.py GLASSPOST [FILE…]     all captures in the folder that GLASSPOST_CAPTURES names, or only those files

Two things are known of a capture:
 * local/FILE.facts.json: what the sending or fetching program knew. It is met exactly; nothing excuses a difference.
 * expected/FILE.jsonl, local/FILE.truth.jsonl: tshark's reading, a reference and not an oracle. Every difference from it is
   told, and must stand in known_differences.json with its reason: {"reason", "differences": {FILE: {WHAT: COUNT}}}, where WHAT is
   the difference as it is printed here (or a pattern of it, with * and ?) and COUNT how many there are. One that is not in the
   table is a fault, and so is one in the table that does not occur (so that the table never rots).

Exit status: 0 as known, 1 not, 77 no captures (GLASSPOST_CAPTURES is not set).
"""
import collections
import difflib
import email.header
import fnmatch
import ipaddress
import json
import os
import re
import struct
import subprocess
import sys

SKIPPED = 77
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "known_differences.json")
PROTOCOL = {"smtp": "smtp", "pop": "pop3", "imap": "imap", "tls": "tls"}
MAIL = ("smtp", "lmtp", "pop3", "imap")
CIPHERS = {"0x0004": "TLS_RSA_WITH_RC4_128_MD5", "0x0005": "TLS_RSA_WITH_RC4_128_SHA", "0x002f": "TLS_RSA_WITH_AES_128_CBC_SHA",
           "0x1301": "TLS_AES_128_GCM_SHA256", "0x1302": "TLS_AES_256_GCM_SHA384", "0x1303": "TLS_CHACHA20_POLY1305_SHA256",
           "0xc028": "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "0xc02b": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
           "0xc02f": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "0xc030": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}
OPENSSL_CIPHERS = {"ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}
VERSIONS = {"0x0301": "TLSv1.0", "0x0302": "TLSv1.1", "0x0303": "TLSv1.2", "0x0304": "TLSv1.3", "0x7f1c": "TLSv1.3-draft28"}
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "NULL": 10, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "LOC": 29, "SRV": 33, "OPT": 41,
         "DS": 43, "SSHFP": 44, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "NSEC3": 50, "TLSA": 52, "HTTPS": 65, "SPF": 99,
         "TSIG": 250, "ANY": 255, "URI": 256, "CAA": 257, "MG": 8, "UINFO": 100}
OPCODES = {"QUERY": 0, "IQUERY": 1, "STATUS": 2, "NOTIFY": 4, "UPDATE": 5}


def endpoint(e):
    return f"{e['address']}:{e['port']}"


def normal_endpoint(text):
    address, _, port = text.rpartition(":")
    return f"{ipaddress.ip_address(address)}:{port}"


def squeeze(text):
    return re.sub(r"\s+", " ", text or "").strip()


def cut(text, limit=100):
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= limit else text[:limit] + "…"


def analyse(glasspost, path):
    run = subprocess.run([glasspost, "analyze", "--json", "--attachments", "--show-secrets", path], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=300)
    return run.returncode, [json.loads(line) for line in run.stdout.decode("utf-8").splitlines()], run.stderr.decode()


# ---- what the programs themselves knew

def frames_of(path):
    """the frames of a capture in the classic format, without their headers"""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    frames, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def losses(glasspost, folder, facts, path):
    """of a capture that was made from another by dropping segments: the messages of which it lacks something"""
    source = os.path.join(folder, facts["made_from"])
    kept, all_frames = collections.Counter(frames_of(path)), frames_of(source)
    damaged = set()
    for c in analyse(glasspost, source)[1]:
        for m in c["messages"]:
            e = c["exchanges"][m["exchange"] - 1]
            if any(not kept[all_frames[n - 1]] for side in ("request", "reply") if e[side] for n in e[side]["frames"]):
                damaged.add((c["protocol"], m["size"], m["sha256"]))
    return damaged


def compare_facts(conversations, facts, lost):
    """every message of the facts, exactly; a list of faults, and a list of what cannot be checked"""
    faults, unchecked = [], []
    encrypted = facts.get("tls")
    if encrypted:
        unchecked.append(f"{len(facts['messages'])} messages under TLS")
        version, cipher = encrypted
        tls = [c["tls"] for c in conversations if c["tls"]]
        wanted = (version, OPENSSL_CIPHERS.get(cipher, cipher))
        if [(t["version"], t["cipher"]) for t in tls] != [wanted]:
            faults.append(f"TLS: {tls} told, {wanted} spoken")
        if any(c["messages"] for c in conversations):
            faults.append("messages told of an encrypted dialogue")
        return faults, unchecked
    told = [(c["protocol"], m) for c in conversations for m in c["messages"]]
    whole = collections.Counter((p, m["size"], m["sha256"]) for p, m in told if not m["truncated"])
    sent = collections.Counter((m["protocol"], m["octets"], m["sha256"]) for m in facts["messages"])
    for message, n in (whole - sent).items():
        faults.append(f"a message that was not sent: {message} ({n})")
    for message, n in (sent - whole).items():
        if message in lost:
            unchecked.append(f"{message[0]} message of {message[1]} octets: some of it was dropped")
        elif any(c["gaps"] and p == message[0] and m["truncated"] for c in conversations for p, m in told):
            unchecked.append(f"{message[0]} message of {message[1]} octets: told with its gaps")
        else:
            faults.append(f"a message that is not told: {message} ({n})")
    subjects = {(m["protocol"], m["sha256"]): m["subject"] for m in facts["messages"] if "subject" in m}
    for p, m in told:
        wanted = subjects.get((p, m["sha256"]), m["subject"])
        if not m["truncated"] and m["subject"] != wanted:
            faults.append(f"subject {m['subject']!r} told, {wanted!r} written")
    for c in conversations:
        for m in c["messages"]:
            if m["truncated"] and not c["gaps"] and c["complete"]:
                faults.append(f"a message called cut short in a conversation without a gap: {m['size']} octets")
    return faults, unchecked


# ---- tshark's reading

def told_events(c):
    """our exchanges as two lists of (text, frames), one a direction"""
    client, server = [], []
    for e in c["exchanges"]:
        request = e["request"]
        if request and request["verb"] != ".":
            if c["protocol"] == "imap":
                text = f"{request.get('tag', '')} {request['argument'] if request['verb'] == '*' else request['verb'] + ' ' + request['argument']}"
            elif request["verb"] == "*":
                text = request["argument"]
            else:
                text = f"{request['verb']} {request['argument']}"
            client.append((text, request["frames"]))
        if c["protocol"] in ("smtp", "lmtp"):
            for r in e.get("replies") or ([e["reply"]] if e["reply"] else []):
                server.append((" ".join(filter(None, (str(r["code"]), r["enhanced"], "\n".join(r["text"])))), r["frames"]))
        elif c["protocol"] == "pop3":
            if r := e["reply"]:
                server.append((f"{r['status']} {r['text'][0] if r['text'] else ''}", r["frames"]))
        elif r := e["reply"]:
            # A literal ends a line in tshark's reading: what follows it is told as a line of its own.
            server.extend((part, r["frames"]) for line in r["text"] for part in re.split(r"(?<=\})(?=.)", line) if part)
    return client, server


def reference_events(stream):
    client, server = [], []
    for e in stream["events"]:
        if e[1] == "imap":
            # An untagged line without text is a piece of a literal in tshark's reading.
            if e[4]:
                (client if e[0] == "C" else server).append((e[4], e[5]))
        elif e[0] == "S":
            server.append((f"{e[2]} {e[3]}", e[4]))
        elif e[2].startswith("("):
            client.append((e[3], e[4]))
        elif e[1] == "smtp" and len(e[2]) == 4 and e[2] != "DATA":
            client.append((f"{e[2]} {e[3]}", e[4]))
        else:
            client.append((f"{e[2]} {e[3]}", e[4]))
    return client, server


def canonical(text, protocol, side):
    """
    What both tell in the same way. tshark cuts SMTP's commands to four letters and takes the fifth for the space after them; an
    enhanced code may open each line of a reply; long IMAP lines were cut when the reference was made.
    """
    if protocol == "imap":
        return squeeze(text)[:390].rstrip().upper()
    if protocol in ("smtp", "lmtp") and side == "client":
        text = text[:4] + text[5:]
    elif protocol in ("smtp", "lmtp"):
        text = text[:4] + re.sub(r"(?<=\n)\d\.\d{1,3}\.\d{1,3}( |$)", "", text[4:])
    return re.sub(r"\s+", "", text).upper()


def compare_events(where, protocol, side, told, reference, differences):
    ours = [canonical(t, protocol, side) for t, _ in told]
    theirs = [canonical(t, protocol, side) for t, _ in reference]
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for op, a, b, x, y in matcher.get_opcodes():
        if op == "equal":
            for (text, frames), (_, frame) in zip(told[a:b], reference[x:y]):
                if frame not in frames:
                    differences.append(f"{where}: frame {frame} for {frames}: {cut(squeeze(text))}")
            continue
        for text, frames in told[a:b]:
            differences.append(f"{where}: only ours: {cut(squeeze(text))} {frames}")
        for text, frame in reference[x:y]:
            differences.append(f"{where}: only tshark: {cut(squeeze(text))} [{frame}]")


def decoded(value):
    value = re.sub(r"\r?\n(?=[ \t])", "", value)
    try:
        parts = email.header.decode_header(value)
        return "".join(p if isinstance(p, str) else p.decode(c or "utf-8", "replace") for p, c in parts)
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return value


def same_field(ours, theirs):
    return re.sub(r"\s+", "", decoded(theirs)) == re.sub(r"\s+", "", ours or "") or re.sub(r"\s+", "", theirs) == re.sub(r"\s+", "", ours or "")


def compare_messages(where, told, reference, differences):
    """in order; tshark's pieces of bodies, which have no header field, are counted only"""
    pieces = [m for m in reference if set(m) <= {"frame", "mime_version"}]
    whole = [m for m in reference if m not in pieces]
    if pieces:
        differences.append(f"{where}: {len(pieces)} messages of tshark without a header field")
    keys = ("subject", "from", "to", "message_id")

    def same(m, t):
        return all(same_field(m[k], t[k]) for k in keys if k in t) and all(k in t for k in keys if m[k])

    rest = list(told)
    for t in whole:
        m = next((m for m in rest if same(m, t)), None)
        if m is None:
            differences.append(f"{where}: message only tshark: frame {t['frame']} " + cut(squeeze(" ".join(str(t.get(k)) for k in keys)), 160))
        else:
            rest.remove(m)
    for m in rest:
        differences.append(f"{where}: message only ours: exchange {m['exchange']}, {m['size']} octets{', truncated' if m['truncated'] else ''} " +
                           cut(squeeze(" ".join(str(m.get(k)) for k in keys)), 160))


def compare_tls(where, ours, theirs, differences):
    if ours is None:
        differences.append(f"{where}: tls only tshark: {theirs.get('handshake_types')}")
        return
    if theirs is None:
        differences.append(f"{where}: tls only ours: {ours['version']} {ours['cipher']}")
        return
    for key, names in (("version", VERSIONS), ("cipher", CIPHERS)):
        wanted = names.get(theirs.get(key), theirs.get(key))
        if ours[key] != wanted:
            differences.append(f"{where}: tls {key} {ours[key]}, tshark {wanted}")
    if ours["sni"] != theirs.get("sni"):
        differences.append(f"{where}: tls sni {ours['sni']}, tshark {theirs.get('sni')}")
    if len(ours["certificates"]) != theirs.get("certificates", 0):
        differences.append(f"{where}: tls certificates {len(ours['certificates'])}, tshark {theirs.get('certificates', 0)}")


def compare_stream(stream, c, differences):
    where = f"stream {stream['stream']}"
    spoken = next((PROTOCOL[p] for p in stream["protocols"] if p in PROTOCOL), None)
    if spoken is None:
        if c.get("recognised_by") != "port":
            differences.append(f"{where}: {c['protocol']}, tshark nothing")
    elif c["protocol"] != spoken or "recognised_by" in c:
        differences.append(f"{where}: {c['protocol']}{' by port' if 'recognised_by' in c else ''}, tshark {spoken}")
    if c["packets"] != stream["packets"]:
        differences.append(f"{where}: {c['packets']} packets, tshark {stream['packets']}")
    whole = stream["syn_seen"] and (stream["fin_seen"] or stream["rst_seen"]) and not stream["lost_segments"]
    if c["complete"] != whole:
        differences.append(f"{where}: {'' if c['complete'] else 'not '}complete")
    if normal_endpoint(stream["server"]) != endpoint(c["server"]):
        differences.append(f"{where}: server {endpoint(c['server'])}, tshark {stream['server']}")
    ours, theirs = told_events(c), reference_events(stream)
    for side, o, t in zip(("client", "server"), ours, theirs):
        compare_events(f"{where} {side}", c["protocol"], side, o, t, differences)
    compare_messages(where, c["messages"], stream["messages"], differences)
    if c["tls"] or "tls" in stream:
        compare_tls(where, c["tls"], stream.get("tls"), differences)


def type_number(name):
    return int(name[4:]) if re.fullmatch(r"TYPE\d+", name) else TYPES.get(name, name)


def split_zone_line(line):
    """owner, type number, data of one record in zone-file form; None for what is no record"""
    if line.startswith("; EDNS"):
        return "", 41, ""
    m = re.match(r"((?:[^\s\\]|\\.)*)\s+(?:\d+\s+)?(?:(?:IN|CH|HS|ANY|NONE|CLASS\d+)\s+)?(\S+)\s*(.*)", line)
    if not m:
        return None
    return m.group(1), type_number(m.group(2)), m.group(3)


def plain_name(name):
    if name in ("<Root>", ".", ""):
        return ""
    name = re.sub(r"\\(\d{3})", lambda m: chr(int(m.group(1))), name)
    name = re.sub(r"\\(.)", r"\1", name)
    return name.rstrip(".").lower()


def told_dns(conversations):
    out = []
    for c in conversations:
        if c["protocol"] != "dns":
            continue
        for e in c["exchanges"]:
            for side in ("request", "reply"):
                if e[side]:
                    out.append((e[side]["frames"], side, e, c))
    out.sort(key=lambda x: x[0])
    return out


def compare_dns(reference, conversations, differences):
    told = told_dns(conversations)
    matched = set()
    for t in reference:
        where = f"dns frame {t['frame']}"
        # A query that was sent again is one request with several frames.
        n = next((n for n, (frames, side, e, _) in enumerate(told) if t["frame"] in frames and e[side]["dns"]["id"] == t["id"] and
                  bool(e[side]["dns"]["flags"] >> 15) == t["response"] and (n not in matched or len(frames) > 1)), None)
        if n is None:
            differences.append(f"{where}: only tshark: id {t['id']} {t['questions']}")
            continue
        matched.add(n)
        found = told[n]
        _, side, e, _ = found
        dns = e[side]["dns"]
        flags = dns["flags"]
        for key, ours in (("opcode", flags >> 11 & 15), ("truncated", bool(flags >> 9 & 1)), ("rcode", flags & 15)):
            if ours != t[key] and not (key == "rcode" and not t["response"]):
                differences.append(f"{where}: {key} {ours}, tshark {t[key]}")
        if (side == "reply") != t["response"]:
            differences.append(f"{where}: told as {side}")
        if e["request"] and t["questions"] and side == "request":
            ours = [re.fullmatch(r"(.*?) (\S+)( CH| HS| NONE| ANY| CLASS\d+)?", q) for q in e["request"]["argument"].split(", ")]
            if [q and [plain_name(q[1]), type_number(q[2])] for q in ours] != [[plain_name(name), kind] for name, kind in t["questions"]]:
                differences.append(f"{where}: question {cut(e['request']['argument'])}, tshark {cut(str(t['questions'][0]))}")
        records = [r for r in map(split_zone_line, dns["records"]) if r]
        ours = [(plain_name(name), kind) for name, kind, _ in records]
        theirs = [(plain_name(r["name"]), r["type"]) for r in t["records"]]
        if ours != theirs:
            differences.append(f"{where}: records {cut(str(ours), 200)}, tshark {cut(str(theirs), 200)}")
        else:
            compare_rdata(where, records, t["records"], differences)
        for section, count in zip(("answers", "authoritative", "additional"), dns["counts"][1:]):
            got = sum(r["section"] == section for r in t["records"])
            if got != count:
                differences.append(f"{where}: {count} {section}, tshark {got}")
        if dns["counts"][0] != len(t["questions"]):
            differences.append(f"{where}: {dns['counts'][0]} questions, tshark {len(t['questions'])}")
    for n, (frames, side, e, c) in enumerate(told):
        if n in matched:
            continue
        what = e[side].get("argument") or (e["request"] or {}).get("argument") or e[side].get("status")
        differences.append(f"dns frame {frames[-1]}: only ours: {side} id {e[side]['dns']['id']} {cut(str(what))} {c['server']['port']}")


def compare_rdata(where, ours, theirs, differences):
    for (name, _, data), t in zip(ours, theirs):
        wanted = None
        if "a" in t:
            wanted, got = t["a"], data
        elif "aaaa" in t:
            wanted, got = str(ipaddress.ip_address(t["aaaa"])), data
        elif "mx.mail_exchange" in t:
            wanted, got = (t["mx.preference"], plain_name(t["mx.mail_exchange"])), (data.split()[0], plain_name(data.split()[1]))
        else:
            for key in ("cname", "ns", "ptr.domain_name", "soa.mname"):
                if key in t:
                    wanted, got = plain_name(t[key]), plain_name(data.split()[0])
        if wanted is not None and wanted != got:
            differences.append(f"{where}: {name} {cut(str(got))}, tshark {cut(str(wanted))}")


def compare_reference(lines, conversations):
    differences = []
    streams = collections.defaultdict(list)
    for s in lines:
        if s["type"] == "stream":
            streams[frozenset((normal_endpoint(s["client"]), normal_endpoint(s["server"])))].append(s)
    for c in conversations:
        if c["protocol"] == "dns":
            continue
        same = streams[frozenset((endpoint(c["client"]), endpoint(c["server"])))]
        if not same:
            differences.append(f"conversation only ours: {c['protocol']}{' by port' if 'recognised_by' in c else ''} {endpoint(c['client'])} {endpoint(c['server'])}")
            continue
        compare_stream(same.pop(0), c, differences)
    for same in streams.values():
        for s in same:
            differences.append(f"stream {s['stream']}: only tshark: {s['protocols']} {s['client']} {s['server']}")
    compare_dns([d for d in lines if d["type"] == "dns"], conversations, differences)
    return differences


# ---- the table

class Known:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.entries = json.load(f)
        self.left = {}
        for n, entry in enumerate(self.entries):
            for file, patterns in entry["differences"].items():
                for pattern, count in patterns.items():
                    self.left[(n, file, pattern)] = count

    def excuse(self, file, difference):
        """exact entries come before patterns"""
        for matches in (str.__eq__, lambda d, p: fnmatch.fnmatchcase(d, p.replace("[", "[[]"))):
            for (n, entry_file, pattern), count in self.left.items():
                if entry_file == file and count > 0 and matches(difference, pattern):
                    self.left[(n, entry_file, pattern)] -= 1
                    return True
        return False

    def unused(self, files):
        return [f"{file}: {pattern}: {count} fewer than the table says" for (_, file, pattern), count in self.left.items()
                if count and file in files]


def negatives(captures):
    """the files that README.md says hold no mail"""
    with open(os.path.join(captures, "README.md"), encoding="utf-8") as f:
        return {line.split("|")[1].strip() for line in f if line.startswith("|") and "negative: no mail" in line}


def main():
    glasspost, *only = sys.argv[1:]
    captures = os.environ.get("GLASSPOST_CAPTURES", "")
    if not captures:
        print("skipped: GLASSPOST_CAPTURES is not set, there is nothing to compare with")
        return SKIPPED
    known = Known(TABLE)
    no_mail = negatives(captures)
    faults, unchecked, files = [], [], []
    met = excused = 0
    for folder, suffix in (("", ".jsonl"), ("local", ".truth.jsonl")):
        for name in sorted(os.listdir(os.path.join(captures, folder))):
            path = os.path.join(captures, folder, name)
            if not re.search(r"\.(pcap|pcapng|cap)$", name) or (only and name not in only):
                continue
            files.append(name)
            status, conversations, errors = analyse(glasspost, path)
            if status not in (0, 1):
                faults.append(f"{name}: exit status {status}: {errors}")
                continue
            stem = name.rsplit(".", 1)[0]
            facts = os.path.join(captures, folder, stem + ".facts.json")
            if os.path.exists(facts):
                with open(facts, encoding="utf-8") as f:
                    known_facts = json.load(f)
                lost = losses(glasspost, os.path.join(captures, folder), known_facts, path) if known_facts.get("damaged") else set()
                wrong, open_points = compare_facts(conversations, known_facts, lost)
                faults += [f"{name}: {w}" for w in wrong]
                unchecked += [f"{name}: {u}" for u in open_points]
                met += not wrong
            reference = os.path.join(captures, "expected", name + ".jsonl") if not folder else os.path.join(captures, folder, stem + suffix)
            with open(reference, encoding="utf-8") as f:
                lines = [json.loads(line) for line in f]
            if name in no_mail:
                faults += [f"{name}: no mail is in it, but {c['protocol']} told" for c in conversations if c["protocol"] in MAIL]
            for d in compare_reference(lines, conversations):
                if known.excuse(name, d):
                    excused += 1
                else:
                    faults.append(f"{name}: {d}")
    faults += known.unused(set(files))
    print(f"{len(files)} captures; facts of {met} met; {excused} differences from tshark known; not checkable: {len(unchecked)}")
    for u in unchecked:
        print(f"  not checkable: {u}")
    for fault in faults:
        print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
