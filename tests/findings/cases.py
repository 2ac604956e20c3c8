"""One case a finding at least: what is said, and all that is found in it. See small_capture.py for the dialogue's form.

What is told: severity, id, @exchange (if it belongs to one) and RFC clause in the first line, then the text in English and in
Chinese. A case lists all of its findings: one more is a fault as much as one less.
"""
import dataclasses

CASES = []


@dataclasses.dataclass
class Case:
    name: str
    port: int
    talk: str
    told: str
    options: dict


def case(name, port, talk, told, **options):
    assert all(c.name != name for c in CASES), name
    CASES.append(Case(name, port, talk, told.removeprefix("\n"), options))


# What is said again and again.
GREETING = "S: 220 mx.example.test ESMTP"
HELLO = f"{GREETING}\nC: EHLO client.example.test\nS: 250 mx.example.test"
MAIL = "C: MAIL FROM:<a@example.test>\nS: 250 2.1.0 ok\nC: RCPT TO:<b@example.test>\nS: 250 2.1.5 ok"
DATA = f"{MAIL}\nC: DATA\nS: 354 go on"
HEADER = "C: Date: Mon, 1 Jan 2024 00:00:00 +0000\nC: Message-ID: <1@example.test>\nC: Subject: hello\nC:"
DOT = "C: .\nS: 250 2.0.0 taken"
QUIT = "C: QUIT\nS: 221 2.0.0 bye"
POP3_LOGIN = "S: +OK POP3 ready\nC: APOP a c4c9334bac560ecc979e58001b3e22fb\nS: +OK"
POP3_QUIT = "C: QUIT\nS: +OK bye"
IMAP_LOGIN = "S: * PREAUTH IMAP4rev2 ready"
IMAP_QUIT = "C: z1 LOGOUT\nS: * BYE\nS: z1 OK done"
QUERY = "12 34 01 00 00 01 00 00 00 00 00 00 07 65 78 61 6d 70 6c 65 04 74 65 73 74 00 00 0f 00 01"
ANSWER = "12 34 81 80 00 01 00 01 00 00 00 00 07 65 78 61 6d 70 6c 65 04 74 65 73 74 00 00 0f 00 01 c0 0c 00 0f 00 01 00 00 00 3c 00 04 00 0a c0 0c"
# A ClientHello without extensions, in one record.
CLIENT_HELLO = "16 03 01 00 2f 01 00 00 2b 03 03 " + "11 " * 32 + "00 00 04 13 01 13 02 01 00"

# Nothing is wrong: nothing may be found.
case("smtp-well", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C: Text.
{DOT}
{QUIT}
""", told=r"""
""")
case("pop3-well", 110, rf"""
{POP3_LOGIN}
C: STAT
S: +OK 1 66
C: LIST
S: +OK
S: 1 66
S: .
C: RETR 1
S: +OK 66 octets
S: Date: Mon, 1 Jan 2024 00:00:00 +0000
S: Message-ID: <1@a>
S:
S: Text.
S: .
{POP3_QUIT}
""", told=r"""
""")
case("imap-well", 143, rf"""
{IMAP_LOGIN}
C: a1 SELECT INBOX
S: a1 OK selected
{IMAP_QUIT}
""", told=r"""
""")
case("dns-well", 53, rf"""
C hex: {QUERY}
S hex: {ANSWER}
""", transport="udp", told=r"""
""")

# Passwords and TLS.
case("smtp-auth-in-the-clear", 587, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250-STARTTLS
S: 250 AUTH PLAIN LOGIN
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: YWxpY2U=
S: 334 UGFzc3dvcmQ6
C: d29uZGVybGFuZA==
S: 235 2.7.0 welcome
{QUIT}
""", told=r"""
warning auth-before-tls @2 RFC 4954 §4
  Logging in was offered or tried before TLS protected the connection (offered).
  在 TLS 保护连接之前就提供或使用了登录（已提供）。
note starttls-not-used @3 RFC 3207 §4
  The server offers STARTTLS, but the client goes on in the clear.
  服务器提供 STARTTLS，但客户端仍以明文继续。
warning cleartext-password @5 RFC 8314 §3
  The password crosses the network readable for everyone on the way (LOGIN); base64, where it is used, is an encoding, not an encryption.
  口令在网络上以明文传输，途中任何人都能读到（LOGIN）；即使写成 base64，那也只是编码，不是加密。
""")
case("smtp-auth-used-before-tls", 587, rf"""
{HELLO}
C: AUTH CRAM-MD5
S: 334 PDEyMzRAZXhhbXBsZS50ZXN0Pg==
C: YWxpY2UgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
S: 235 welcome
{QUIT}
""", told=r"""
warning auth-before-tls @3 RFC 4954 §4
  Logging in was offered or tried before TLS protected the connection (CRAM-MD5).
  在 TLS 保护连接之前就提供或使用了登录（CRAM-MD5）。
""")
case("smtp-authentication-failed", 587, rf"""
{HELLO}
C: AUTH PLAIN AGFsaWNlAHdyb25n
S: 535 5.7.8 no
{QUIT}
""", told=r"""
warning cleartext-password @3 RFC 8314 §3
  The password crosses the network readable for everyone on the way (PLAIN); base64, where it is used, is an encoding, not an encryption.
  口令在网络上以明文传输，途中任何人都能读到（PLAIN）；即使写成 base64，那也只是编码，不是加密。
warning auth-before-tls @3 RFC 4954 §4
  Logging in was offered or tried before TLS protected the connection (PLAIN).
  在 TLS 保护连接之前就提供或使用了登录（PLAIN）。
warning authentication-failed @3 RFC 4954 §6
  Logging in failed: 535 5.7.8.
  登录失败：535 5.7.8。
""")
case("smtp-starttls-not-used", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 STARTTLS
{MAIL}
C: RSET
S: 250 ok
{QUIT}
""", told=r"""
note starttls-not-used @3 RFC 3207 §4
  The server offers STARTTLS, but the client goes on in the clear.
  服务器提供 STARTTLS，但客户端仍以明文继续。
""")
case("smtp-plaintext-injection", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 STARTTLS
C\: STARTTLS\r\nMAIL FROM:<evil@example.test>\r\n
S: 220 go on
C hex: {CLIENT_HELLO}
S hex: 15 03 03 00 02 02 28
""", told=r"""
error plaintext-injection @3 RFC 3207 §4.2
  Octets followed STARTTLS/STLS in the clear, before the handshake: MAIL. A server that keeps them takes an attacker's commands for the client's.
  在 STARTTLS/STLS 之后、握手之前又来了明文：MAIL。保留这些内容的服务器会把攻击者的命令当成客户端的命令。
""")
case("pop3-cleartext-password", 110, rf"""
S: +OK POP3 ready
C: USER alice
S: +OK
C: PASS wonderland
S: +OK
{POP3_QUIT}
""", told=r"""
warning cleartext-password @3 RFC 8314 §3
  The password crosses the network readable for everyone on the way (PASS); base64, where it is used, is an encoding, not an encryption.
  口令在网络上以明文传输，途中任何人都能读到（PASS）；即使写成 base64，那也只是编码，不是加密。
""")
case("pop3-stls-not-used", 110, rf"""
S: +OK POP3 ready
C: CAPA
S: +OK
S: STLS
S: USER
S: .
C: USER alice
S: +OK
C: PASS wrong
S: -ERR [AUTH] no
{POP3_QUIT}
""", told=r"""
warning auth-before-tls @3 RFC 2595 §2.3
  Logging in was offered or tried before TLS protected the connection (USER).
  在 TLS 保护连接之前就提供或使用了登录（USER）。
warning cleartext-password @4 RFC 8314 §3
  The password crosses the network readable for everyone on the way (PASS); base64, where it is used, is an encoding, not an encryption.
  口令在网络上以明文传输，途中任何人都能读到（PASS）；即使写成 base64，那也只是编码，不是加密。
warning authentication-failed @4 RFC 1939 §4
  Logging in failed: [AUTH] no.
  登录失败：[AUTH] no。
note starttls-not-used @2 RFC 2595 §4
  The server offers STARTTLS, but the client goes on in the clear.
  服务器提供 STARTTLS，但客户端仍以明文继续。
""")
case("pop3-plaintext-injection", 110, rf"""
S: +OK POP3 ready
C\: STLS\r\nSTAT\r\n
S: +OK go on
C hex: {CLIENT_HELLO}
S hex: 15 03 03 00 02 02 28
""", told=r"""
error plaintext-injection @2 RFC 2595 §4
  Octets followed STARTTLS/STLS in the clear, before the handshake. A server that keeps them takes an attacker's commands for the client's.
  在 STARTTLS/STLS 之后、握手之前又来了明文。保留这些内容的服务器会把攻击者的命令当成客户端的命令。
warning command-out-of-order @3 RFC 1939 §3
  A command came when it was not allowed: STAT in AUTHORIZATION.
  命令出现在不允许的时候：在认证状态（AUTHORIZATION）中使用 STAT。
warning pipelining-not-offered @3 RFC 2449 §6.6
  Commands were sent without waiting for the replies, although the server did not offer PIPELINING (STAT).
  服务器没有提供 PIPELINING，客户端却不等应答就连续发送命令（STAT）。
""")
case("imap-login-in-the-clear", 143, rf"""
S: * OK [CAPABILITY IMAP4rev2 STARTTLS AUTH=PLAIN] ready
C: a1 LOGIN alice wonderland
S: a1 NO [AUTHENTICATIONFAILED] no
{IMAP_QUIT}
""", told=r"""
warning cleartext-password @2 RFC 8314 §3
  The password crosses the network readable for everyone on the way (LOGIN); base64, where it is used, is an encoding, not an encryption.
  口令在网络上以明文传输，途中任何人都能读到（LOGIN）；即使写成 base64，那也只是编码，不是加密。
warning auth-before-tls @2 RFC 9051 §6.2.3
  Logging in was offered or tried before TLS protected the connection (LOGIN).
  在 TLS 保护连接之前就提供或使用了登录（LOGIN）。
note starttls-not-used @2 RFC 9051 §6.2.1
  The server offers STARTTLS, but the client goes on in the clear.
  服务器提供 STARTTLS，但客户端仍以明文继续。
warning authentication-failed @2 RFC 9051 §6.2
  Logging in failed: [AUTHENTICATIONFAILED] no.
  登录失败：[AUTHENTICATIONFAILED] no。
""")
case("imap-plaintext-injection", 143, rf"""
S: * OK IMAP4rev2 ready
C\: a1 STARTTLS\r\na2 NOOP\r\n
S: a1 OK go on
C hex: {CLIENT_HELLO}
S hex: 15 03 03 00 02 02 28
""", told=r"""
error plaintext-injection @3 RFC 9051 §6.2.1
  Octets followed STARTTLS/STLS in the clear, before the handshake: NOOP. A server that keeps them takes an attacker's commands for the client's.
  在 STARTTLS/STLS 之后、握手之前又来了明文：NOOP。保留这些内容的服务器会把攻击者的命令当成客户端的命令。
""")
case("tls-not-spoken", 465, rf"""
C hex: {CLIENT_HELLO}
S: 500 5.5.1 unrecognized
C hex: 15 03 01 00 02 02 28
S: 500 5.5.1 unrecognized
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks SMTP in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 SMTP：双方互不理解。
warning reply-not-allowed @1 RFC 5321 §4.3.2
  The reply does not fit its command: 500 as greeting.
  应答与命令不相配：以 500 作为问候。
""")
case("tls-not-spoken-in-pieces", 465, rf"""
C hex: {CLIENT_HELLO}
S\: 5
S\: 00 5.5.1
S\:  unrecognized\r\n
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks SMTP in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 SMTP：双方互不理解。
warning reply-not-allowed @1 RFC 5321 §4.3.2
  The reply does not fit its command: 500 as greeting.
  应答与命令不相配：以 500 作为问候。
""")
case("tls-not-spoken-after-the-greeting", 587, rf"""
S: 220 mx.example.test ESMTP
C hex: {CLIENT_HELLO}
S: 500 5.5.1 unrecognized
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks SMTP in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 SMTP：双方互不理解。
""")
case("tls-not-spoken-greeting-as-answer", 2465, rf"""
C hex: {CLIENT_HELLO}
S: 220 mx.example.test ESMTP
S: 500 5.5.1 unrecognized
S: 421 4.7.0 bye
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks SMTP in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 SMTP：双方互不理解。
""")
case("pop3-tls-not-spoken", 995, rf"""
C hex: {CLIENT_HELLO}
S: -ERR what
S: -ERR what
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks POP3 in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 POP3：双方互不理解。
""")
case("pop3-tls-not-spoken-after-the-greeting", 110, rf"""
S: +OK POP3 ready
C hex: {CLIENT_HELLO}
S: -ERR what
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks POP3 in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 POP3：双方互不理解。
""")
case("imap-tls-not-spoken", 143, rf"""
C hex: {CLIENT_HELLO}
S: * OK IMAP4rev2 ready
S: * BAD what
""", told=r"""
warning tls-not-spoken RFC 8446 §4.1.3
  The client begins TLS, but the server speaks IMAP in the clear: neither understands the other.
  客户端开始 TLS，服务器却用明文说 IMAP：双方互不理解。
note no-quit RFC 9051 §6.1.3
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")
case("malformed-tls-not-tls", 465, rf"""
C hex: {CLIENT_HELLO}
S: HTTP/1.1 400 Bad Request
""", told=r"""
warning malformed-tls RFC 8446 §5.1
  What the TLS stream carries is malformed: no TLS record.
  TLS 流中的内容格式不正确：不是 TLS 记录。
""")
case("malformed-tls-client-hello", 465, rf"""
C hex: {CLIENT_HELLO.replace("00 04 13 01", "00 ff 13 01")}
S hex: 15 03 03 00 02 02 28
""", told=r"""
warning malformed-tls RFC 8446 §5.1
  What the TLS stream carries is malformed: ClientHello.
  TLS 流中的内容格式不正确：ClientHello。
""")

# Lines and their ends.
case("smtp-bare-lf-in-data", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C\: one\ntwo\r\n
{DOT}
{QUIT}
""", told=r"""
warning bare-cr-lf @6 RFC 5321 §2.3.8
  A CR or LF stands alone; only the pair CRLF ends a line.
  出现了单独的 CR 或 LF；只有 CRLF 成对才表示行结束。
""")
case("smtp-bare-cr-in-data", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C\: one\rtwo\r\n
{DOT}
{QUIT}
""", told=r"""
warning bare-cr-lf @6 RFC 5321 §2.3.8
  A CR or LF stands alone; only the pair CRLF ends a line.
  出现了单独的 CR 或 LF；只有 CRLF 成对才表示行结束。
""")
case("smtp-bare-cr-in-chunk", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 CHUNKING
{MAIL}
C\: BDAT 66 LAST\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\na\rb\r\n\r\n
S: 250 2.0.0 taken
{QUIT}
""", told=r"""
warning bare-cr-lf @5 RFC 5321 §2.3.8
  A CR or LF stands alone; only the pair CRLF ends a line.
  出现了单独的 CR 或 LF；只有 CRLF 成对才表示行结束。
""")
case("smtp-bare-lf-ends-command", 25, rf"""
{HELLO}
C\: NOOP\n
S: 250 ok
{QUIT}
""", told=r"""
warning bare-cr-lf @3 RFC 5321 §2.3.8
  A CR or LF stands alone (bare LF ends the command); only the pair CRLF ends a line.
  出现了单独的 CR 或 LF（命令以单独的 LF 结束）；只有 CRLF 成对才表示行结束。
""")
case("smtp-bare-cr-in-command", 25, rf"""
{HELLO}
C\: NOOP a\rb\r\n
S: 250 ok
{QUIT}
""", told=r"""
warning bare-cr-lf @3 RFC 5321 §2.3.8
  A CR or LF stands alone (bare CR in the command); only the pair CRLF ends a line.
  出现了单独的 CR 或 LF（命令中有单独的 CR）；只有 CRLF 成对才表示行结束。
""")
case("smtp-bare-lf-ends-reply", 25, rf"""
{HELLO}
C: NOOP
S\: 250 ok\n
{QUIT}
""", told=r"""
warning bare-cr-lf @3 RFC 5321 §2.3.8
  A CR or LF stands alone (bare LF ends the reply); only the pair CRLF ends a line.
  出现了单独的 CR 或 LF（应答以单独的 LF 结束）；只有 CRLF 成对才表示行结束。
""")
case("pop3-bare-lf-in-message", 110, rf"""
{POP3_LOGIN}
C: RETR 1
S: +OK
S\: Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\none\ntwo\rthree\r\n.\r\n
{POP3_QUIT}
""", told=r"""
warning bare-cr-lf @3 RFC 1939 §3
  A CR or LF stands alone (bare CR, bare LF); only the pair CRLF ends a line.
  出现了单独的 CR 或 LF（单独的 CR、单独的 LF）；只有 CRLF 成对才表示行结束。
""")
case("pop3-look-alike", 110, rf"""
{POP3_LOGIN}
C: RETR 1
S: +OK
S\: Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\none\n.\r\ntwo\r\n.\r\n
{POP3_QUIT}
""", told=r"""
warning bare-cr-lf @3 RFC 1939 §3
  A CR or LF stands alone (bare LF); only the pair CRLF ends a line.
  出现了单独的 CR 或 LF（单独的 LF）；只有 CRLF 成对才表示行结束。
error look-alike-end-of-data @3 RFC 1939 §3
  Something that looks like the end of data but is not: a lone dot between line ends that are not both CRLF. Servers that take it for the end can be made to accept smuggled messages.
  有貌似数据结束标志、实则不是的内容：单独的点，但前后的行结束符不都是 CRLF。把它当作结束的服务器会被夹带进伪造的邮件（SMTP 走私）。
""")
case("smtp-look-alike-not-obeyed", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C\: one\n.\r\nMAIL FROM:<evil@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nforged\r\n.\r\n
S: 250 2.0.0 taken
{QUIT}
""", told=r"""
error look-alike-end-of-data @6 RFC 5321 §4.1.1.4
  Something that looks like the end of data but is not: a lone dot between line ends that are not both CRLF (the server read on). Servers that take it for the end can be made to accept smuggled messages.
  有貌似数据结束标志、实则不是的内容：单独的点，但前后的行结束符不都是 CRLF（服务器继续读了下去）。把它当作结束的服务器会被夹带进伪造的邮件（SMTP 走私）。
warning bare-cr-lf @6 RFC 5321 §2.3.8
  A CR or LF stands alone; only the pair CRLF ends a line.
  出现了单独的 CR 或 LF；只有 CRLF 成对才表示行结束。
""")
case("smtp-look-alike-obeyed", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 PIPELINING
{DATA}
{HEADER}
C\: one\n.\r\nMAIL FROM:<evil@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n
S\: 250 2.0.0 taken\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n
{HEADER}
C: forged
{DOT}
{QUIT}
""", told=r"""
error look-alike-end-of-data @6 RFC 5321 §4.1.1.4
  Something that looks like the end of data but is not: a lone dot between line ends that are not both CRLF (the server took it for the end). Servers that take it for the end can be made to accept smuggled messages.
  有貌似数据结束标志、实则不是的内容：单独的点，但前后的行结束符不都是 CRLF（服务器把它当作了结束）。把它当作结束的服务器会被夹带进伪造的邮件（SMTP 走私）。
warning bare-cr-lf @6 RFC 5321 §2.3.8
  A CR or LF stands alone; only the pair CRLF ends a line.
  出现了单独的 CR 或 LF；只有 CRLF 成对才表示行结束。
""")
case("smtp-line-998", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C\*998: x
C:
{DOT}
{QUIT}
""", told=r"""
""")
case("smtp-line-999", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C\*999: x
C:
{DOT}
{QUIT}
""", told=r"""
warning line-too-long @6 RFC 5321 §4.5.3.1.6
  A line of text is longer than 998 octets (999); servers may cut or refuse it.
  有一行文本超过 998 个八位组（999）；服务器可能截断或拒绝。
""")
case("pop3-line-998-and-999", 110, rf"""
{POP3_LOGIN}
C: RETR 1
S: +OK
S\: Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\n
S\*998: x
S\: \r\n.\r\n
C: RETR 2
S: +OK
S\: Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\n
S\*999: x
S\: \r\n.\r\n
{POP3_QUIT}
""", told=r"""
warning line-too-long @4 RFC 5322 §2.1.1
  A line of text is longer than 998 octets (999 octets); servers may cut or refuse it.
  有一行文本超过 998 个八位组（999 个八位组）；服务器可能截断或拒绝。
""")
case("smtp-command-512", 25, rf"""
{HELLO}
C\: NOOP {"x" * 505}\r\n
S: 250 ok
{QUIT}
""", told=r"""
""")
case("smtp-command-513", 25, rf"""
{HELLO}
C\: NOOP {"x" * 506}\r\n
S: 250 ok
{QUIT}
""", told=r"""
warning command-too-long @3 RFC 5321 §4.5.3.1.4
  A command line is longer than the protocol allows (513).
  命令行超过协议允许的长度（513）。
""")
case("smtp-mail-1215-and-1216", 25, rf"""
{HELLO}
C\: MAIL FROM:<{"x" * 1188}@example.test>\r\n
S: 553 5.1.7 no
C\: MAIL FROM:<{"x" * 1189}@example.test>\r\n
S: 553 5.1.7 no
{QUIT}
""", told=r"""
warning message-refused @3 RFC 5321 §4.2.5
  The message was refused: 553 5.1.7.
  邮件被拒绝：553 5.1.7。
warning command-too-long @4 RFC 5321 §4.5.3.1.4
  A command line is longer than the protocol allows (1216).
  命令行超过协议允许的长度（1216）。
warning message-refused @4 RFC 5321 §4.2.5
  The message was refused: 553 5.1.7.
  邮件被拒绝：553 5.1.7。
""")
case("smtp-rcpt-1012-and-1013", 25, rf"""
{HELLO}
C: MAIL FROM:<a@example.test>
S: 250 ok
C\: RCPT TO:<{"x" * 987}@example.test>\r\n
S: 250 ok
C\: RCPT TO:<{"x" * 988}@example.test>\r\n
S: 250 ok
C: RSET
S: 250 ok
{QUIT}
""", told=r"""
warning command-too-long @5 RFC 5321 §4.5.3.1.4
  A command line is longer than the protocol allows (1013).
  命令行超过协议允许的长度（1013）。
""")
case("pop3-command-255-and-256", 110, rf"""
{POP3_LOGIN}
C\: XTND {"x" * 248}\r\n
S: -ERR no
C\: XTND {"x" * 249}\r\n
S: -ERR no
{POP3_QUIT}
""", told=r"""
note unknown-command @3 RFC 1939 §3
  The protocol knows no such command: XTND.
  协议中没有的命令：XTND。
note unknown-command @4 RFC 1939 §3
  The protocol knows no such command: XTND.
  协议中没有的命令：XTND。
warning command-too-long @4 RFC 2449 §4
  A command line is longer than the protocol allows (256 octets).
  命令行超过协议允许的长度（256 个八位组）。
""")
case("smtp-reply-512-and-513", 25, rf"""
{HELLO}
C: NOOP
S\: 250 {"x" * 506}\r\n
C: NOOP
S\: 250 {"x" * 507}\r\n
{QUIT}
""", told=r"""
warning reply-too-long @4 RFC 5321 §4.5.3.1.5
  A reply line is longer than 512 octets.
  应答行超过 512 个八位组。
""")
case("pop3-reply-512-and-513", 110, rf"""
{POP3_LOGIN}
C: NOOP
S\: +OK {"x" * 506}\r\n
C: NOOP
S\: +OK {"x" * 507}\r\n
{POP3_QUIT}
""", told=r"""
warning reply-too-long @4 RFC 2449 §4
  A reply line is longer than 512 octets (513 octets).
  应答行超过 512 个八位组（513 个八位组）。
""")
case("smtp-8bit-not-declared", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 8BITMIME
{DATA}
{HEADER}
C: grün
{DOT}
{QUIT}
""", told=r"""
warning 8bit-without-8bitmime @6 RFC 6152 §3
  The message holds octets over 127, but BODY=8BITMIME was not declared in MAIL.
  邮件含有大于 127 的八位组，但 MAIL 中没有声明 BODY=8BITMIME。
""")
case("smtp-8bit-declared", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 8BITMIME
C: MAIL FROM:<a@example.test> BODY=8BITMIME
S: 250 2.1.0 ok
C: RCPT TO:<b@example.test>
S: 250 2.1.5 ok
C: DATA
S: 354 go on
{HEADER}
C: grün
{DOT}
{QUIT}
""", told=r"""
""")
case("imap-malformed-lines", 143, rf"""
{IMAP_LOGIN}
C\: a1 NOOP\n
S: a1 OK
C:
C: NOOP
S: * BAD what?
{IMAP_QUIT}
""", told=r"""
warning malformed-line RFC 9051 §2.2
  A line does not have the protocol's form: line ended by a bare LF.
  有一行不符合协议格式：行以单独的 LF 结束。
warning malformed-line RFC 9051 §2.2
  A line does not have the protocol's form: empty line.
  有一行不符合协议格式：空行。
warning malformed-line @3 RFC 9051 §2.2
  A line does not have the protocol's form: NOOP.
  有一行不符合协议格式：NOOP。
""")

# Commands and their order.
case("smtp-command-out-of-order", 25, rf"""
{HELLO}
C: RCPT TO:<b@example.test>
S: 503 5.5.1 MAIL first
{QUIT}
""", told=r"""
warning command-out-of-order @3 RFC 5321 §4.1.4
  A command came when it was not allowed: RCPT.
  命令出现在不允许的时候：RCPT。
""")
case("pop3-command-out-of-order", 110, rf"""
S: +OK POP3 ready
C: STAT
S: -ERR log in first
C: PASS wonderland
S: -ERR who?
{POP3_QUIT}
""", told=r"""
warning command-out-of-order @2 RFC 1939 §3
  A command came when it was not allowed: STAT in AUTHORIZATION.
  命令出现在不允许的时候：在认证状态（AUTHORIZATION）中使用 STAT。
warning cleartext-password @3 RFC 8314 §3
  The password crosses the network readable for everyone on the way (PASS); base64, where it is used, is an encoding, not an encryption.
  口令在网络上以明文传输，途中任何人都能读到（PASS）；即使写成 base64，那也只是编码，不是加密。
warning command-out-of-order @3 RFC 1939 §3
  A command came when it was not allowed: PASS without USER.
  命令出现在不允许的时候：没有 USER 就使用 PASS。
warning authentication-failed @3 RFC 1939 §4
  Logging in failed: who?
  登录失败：who?
""")
case("imap-command-out-of-order", 143, rf"""
{IMAP_LOGIN}
C: a1 FETCH 1 FLAGS
S: a1 BAD no mailbox
{IMAP_QUIT}
""", told=r"""
warning command-out-of-order @2 RFC 9051 §3
  A command came when it was not allowed: FETCH.
  命令出现在不允许的时候：FETCH。
""")
case("smtp-unknown-command", 25, rf"""
{HELLO}
C: HLEP me
S: 500 5.5.2 what?
{QUIT}
""", told=r"""
note unknown-command @3 RFC 5321 §4.2.4
  The protocol knows no such command: HLEP.
  协议中没有的命令：HLEP。
""")
case("pop3-unknown-command", 110, rf"""
{POP3_LOGIN}
C: XYZZY
S: -ERR what?
{POP3_QUIT}
""", told=r"""
note unknown-command @3 RFC 1939 §3
  The protocol knows no such command: XYZZY.
  协议中没有的命令：XYZZY。
""")
case("imap-unknown-command", 143, rf"""
{IMAP_LOGIN}
C: a1 XYZZY
S: a1 BAD what?
{IMAP_QUIT}
""", told=r"""
note unknown-command @2 RFC 9051 §6.5
  The protocol knows no such command: XYZZY.
  协议中没有的命令：XYZZY。
""")
case("smtp-pipelining-not-offered", 25, rf"""
{HELLO}
C\: MAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\n
S\: 250 ok\r\n250 ok\r\n
C: RSET
S: 250 ok
{QUIT}
""", told=r"""
warning pipelining-not-offered @4 RFC 2920 §3.1
  Commands were sent without waiting for the replies, although the server did not offer PIPELINING (RCPT).
  服务器没有提供 PIPELINING，客户端却不等应答就连续发送命令（RCPT）。
""")
case("pop3-pipelining-not-offered", 110, rf"""
{POP3_LOGIN}
C\: STAT\r\nNOOP\r\n
S\: +OK 0 0\r\n+OK\r\n
{POP3_QUIT}
""", told=r"""
warning pipelining-not-offered @4 RFC 2449 §6.6
  Commands were sent without waiting for the replies, although the server did not offer PIPELINING (NOOP).
  服务器没有提供 PIPELINING，客户端却不等应答就连续发送命令（NOOP）。
""")
case("smtp-no-quit", 25, rf"""
{HELLO}
C: NOOP
S: 250 ok
""", told=r"""
note no-quit RFC 5321 §4.1.1.10
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")
case("pop3-no-quit", 110, rf"""
{POP3_LOGIN}
C: NOOP
S: +OK
""", told=r"""
note no-quit RFC 1939 §6
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")
case("imap-no-logout", 143, rf"""
{IMAP_LOGIN}
C: a1 NOOP
S: a1 OK done
""", told=r"""
note no-quit RFC 9051 §6.1.3
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")
case("pop3-deletions-without-quit", 110, rf"""
{POP3_LOGIN}
C: DELE 1
S: +OK
C: DELE 2
S: +OK
""", told=r"""
warning deletions-without-quit RFC 1939 §6
  Messages were marked for deletion, but there was no QUIT (2 messages): nothing is deleted.
  邮件被标记删除，但没有 QUIT（2 封邮件）：实际上什么也没有删除。
note no-quit RFC 1939 §6
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")

# Replies.
case("smtp-reply-not-allowed", 25, rf"""
{HELLO}
C: NOOP
S: 235 welcome
{QUIT}
""", told=r"""
warning reply-not-allowed @3 RFC 5321 §4.3.2
  The reply does not fit its command: 235 to NOOP.
  应答与命令不相配：以 235 应答 NOOP。
""")
case("smtp-reply-without-code", 25, rf"""
{HELLO}
C: NOOP
S: fine
{QUIT}
""", told=r"""
warning reply-not-allowed @3 RFC 5321 §4.3.2
  The reply does not fit its command: no reply code.
  应答与命令不相配：没有应答码。
""")
case("smtp-odd-greeting", 25, rf"""
S: 250 mx.example.test ESMTP
C: EHLO client.example.test
S: 250 mx.example.test
{QUIT}
""", told=r"""
warning reply-not-allowed @1 RFC 5321 §4.3.2
  The reply does not fit its command: 250 as greeting.
  应答与命令不相配：以 250 作为问候。
""")
case("pop3-reply-not-allowed", 110, rf"""
{POP3_LOGIN}
C: NOOP
S: + well
C: NOOP
S: fine
S: +OK
{POP3_QUIT}
""", told=r"""
warning reply-not-allowed @3 RFC 1939 §3
  The reply does not fit its command: +.
  应答与命令不相配：+。
warning reply-not-allowed @4 RFC 1939 §3
  The reply does not fit its command: fine.
  应答与命令不相配：fine。
""")
case("pop3-listing-without-end", 110, rf"""
{POP3_LOGIN}
C: LIST
S: +OK
S: 1 120
C: NOOP
S: +OK
{POP3_QUIT}
""", told=r"""
warning reply-not-allowed @3 RFC 1939 §3
  The reply does not fit its command: no lone dot at the end.
  应答与命令不相配：末尾没有单独的点。
""")
case("smtp-unsolicited-reply", 25, rf"""
{HELLO}
S: 250 anything else?
{QUIT}
""", told=r"""
warning unsolicited-reply @3 RFC 5321 §4.2
  The server said something without having been asked: 250.
  服务器未被询问就主动应答：250。
""")
case("pop3-unsolicited-reply", 110, rf"""
{POP3_LOGIN}
S: +OK anything else?
{POP3_QUIT}
""", told=r"""
warning unsolicited-reply @3 RFC 1939 §3
  The server said something without having been asked.
  服务器未被询问就主动应答。
""")
case("imap-unsolicited-reply", 143, rf"""
{IMAP_LOGIN}
S: a7 OK done
{IMAP_QUIT}
""", told=r"""
warning unsolicited-reply @2 RFC 9051 §2.2.2
  The server said something without having been asked: a7 OK done.
  服务器未被询问就主动应答：a7 OK done。
""")
case("smtp-differing-reply-codes", 25, rf"""
{HELLO}
C: NOOP
S: 250-one
S: 251 two
{QUIT}
""", told=r"""
warning differing-reply-codes @3 RFC 5321 §4.2.1
  The lines of one reply carry different codes.
  同一个多行应答中出现了不同的应答码。
""")
case("smtp-missing-enhanced-code", 25, rf"""
{GREETING}
C: EHLO client.example.test
S: 250-mx.example.test
S: 250 ENHANCEDSTATUSCODES
C: NOOP
S: 250 ok
{QUIT}
""", told=r"""
note missing-enhanced-code @3 RFC 2034 §4
  The server promised enhanced status codes, but this reply has none: 250.
  服务器承诺了增强状态码，但此应答没有：250。
""")
case("smtp-slow-reply-5-seconds", 25, rf"""
{HELLO}
C: NOOP
wait 4.999
S: 250 ok
{QUIT}
""", told=r"""
""")
case("smtp-slow-reply", 25, rf"""
{HELLO}
C: NOOP
wait 5
S: 250 ok
{QUIT}
""", told=r"""
note slow-reply @3 RFC 5321 §4.5.3.2
  A reply took more than five seconds (5.0 s).
  应答用时超过五秒（5.0 秒）。
""")
case("pop3-slow-reply", 110, rf"""
{POP3_LOGIN}
C: NOOP
wait 7
S: +OK
{POP3_QUIT}
""", told=r"""
note slow-reply @3 RFC 1939 §3
  A reply took more than five seconds (7.0 s).
  应答用时超过五秒（7.0 秒）。
""")
case("imap-slow-reply", 143, rf"""
{IMAP_LOGIN}
C: a1 NOOP
wait 7
S: a1 OK done
{IMAP_QUIT}
""", told=r"""
note slow-reply @2 RFC 9051 §5.4
  A reply took more than five seconds (7.0 s).
  应答用时超过五秒（7.0 秒）。
""")
case("dns-slow-reply", 53, rf"""
C hex: {QUERY}
wait 7
S hex: {ANSWER}
""", transport="udp", told=r"""
note slow-reply @1 RFC 1035 §4.2.1
  A reply took more than five seconds (7.0 s).
  应答用时超过五秒（7.0 秒）。
""")

# Recipients and messages.
case("smtp-recipients-refused-and-deferred", 25, rf"""
{HELLO}
C: MAIL FROM:<a@example.test>
S: 250 ok
C: RCPT TO:<nobody@example.test>
S: 550 5.1.1 no such user
C: RCPT TO:<full@example.test>
S: 452 4.2.2 mailbox full
C: RSET
S: 250 ok
{QUIT}
""", told=r"""
warning recipient-refused @4 RFC 5321 §3.3
  A recipient was refused for good (5xx): 550 5.1.1.
  收件人被永久拒绝（5xx）：550 5.1.1。
note recipient-deferred @5 RFC 5321 §4.2.1
  A recipient was put off for now (4xx): 452 4.2.2.
  收件人被暂时拒绝（4xx）：452 4.2.2。
""")
case("lmtp-recipient-refused", 24, rf"""
S: 220 mx.example.test LMTP
C: LHLO client.example.test
S: 250 mx.example.test
{DATA}
{HEADER}
C: .
S: 550 5.1.1 no such user
{QUIT}
""", told=r"""
warning recipient-refused @6 RFC 5321 §3.3
  A recipient was refused for good (5xx): 550 5.1.1.
  收件人被永久拒绝（5xx）：550 5.1.1。
""")
case("smtp-greylisting", 25, rf"""
{HELLO}
C: MAIL FROM:<a@example.test>
S: 250 ok
C: RCPT TO:<b@example.test>
S: 451 4.7.1 Greylisted, come back later
C: RSET
S: 250 ok
{QUIT}
""", told=r"""
note greylisting @4 RFC 6647 §2
  The server seems to use greylisting (451 4.7.1): it puts off what it does not know and accepts the second try.
  服务器似乎使用了灰名单（451 4.7.1）：对不认识的来信先推迟，再次投递时接受。
""")
case("smtp-message-refused", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C: .
S: 554 5.7.1 spam
{QUIT}
""", told=r"""
warning message-refused @6 RFC 5321 §4.2.5
  The message was refused: 554 5.7.1.
  邮件被拒绝：554 5.7.1。
""")
case("smtp-no-date", 25, rf"""
{HELLO}
{DATA}
C: Message-ID: <1@example.test>
C:
{DOT}
{QUIT}
""", told=r"""
warning no-date @6 RFC 5322 §3.6
  The message has no Date field.
  邮件没有 Date 字段。
""")
case("smtp-no-header", 25, rf"""
{HELLO}
{DATA}
C: This is a test
C: .
S: 250 2.0.0 taken
{QUIT}
""", told=r"""
warning no-date @6 RFC 5322 §3.6
  The message has no Date field.
  邮件没有 Date 字段。
note no-message-id @6 RFC 5322 §3.6.4
  The message has no Message-ID field.
  邮件没有 Message-ID 字段。
""")
case("pop3-no-date-and-no-message-id", 110, rf"""
{POP3_LOGIN}
C: RETR 1
S: +OK
S\: Subject: hello\r\n\r\nText.\r\n.\r\n
{POP3_QUIT}
""", told=r"""
warning no-date @3 RFC 5322 §3.6
  The message has no Date field.
  邮件没有 Date 字段。
note no-message-id @3 RFC 5322 §3.6.4
  The message has no Message-ID field.
  邮件没有 Message-ID 字段。
""")
case("smtp-no-message-id", 25, rf"""
{HELLO}
{DATA}
C: Date: Mon, 1 Jan 2024 00:00:00 +0000
C:
{DOT}
{QUIT}
""", told=r"""
note no-message-id @6 RFC 5322 §3.6.4
  The message has no Message-ID field.
  邮件没有 Message-ID 字段。
""")
case("pop3-stat-and-list-differ", 110, rf"""
{POP3_LOGIN}
C: STAT
S: +OK 1 400
C: LIST
S: +OK
S: 1 120
S: 2 250
S: .
{POP3_QUIT}
""", told=r"""
warning wrong-size @4 RFC 1939 §11
  The server told a size that is not the real one: STAT 1 message, 400 octets; LIST 2 messages, 370 octets.
  服务器告知的大小与实际不符：STAT 1 封邮件，400 个八位组；LIST 2 封邮件，370 个八位组。
""")
case("pop3-message-of-another-size", 110, rf"""
{POP3_LOGIN}
C: LIST 1
S: +OK 1 71
C: RETR 1
S: +OK 77 octets
S\: Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\n..dots\r\n.\r\n
{POP3_QUIT}
""", told=r"""
warning wrong-size @4 RFC 1939 §11
  The server told a size that is not the real one: LIST 71 octets; RETR 77 octets; sent 66.
  服务器告知的大小与实际不符：LIST 71 个八位组；RETR 77 个八位组；实际发送 66。
""")

# The connection.
case("retransmission", 25, rf"""
{HELLO}
C: NOOP
C again
S: 250 ok
{QUIT}
""", told=r"""
note retransmissions RFC 9293 §3.8.1
  TCP segments were sent more than once (1 of them).
  有 TCP 报文段被重传（1 次）。
""")
case("conflicting-overlap", 25, rf"""
{HELLO}
C: NOOP
C again: RSET
S: 250 ok
{QUIT}
""", told=r"""
error conflicting-overlap RFC 9293 §3.10.7.4
  A TCP segment repeats octets with other contents: what the receiver took cannot be told from the capture.
  TCP 报文段重叠且内容不同：仅凭捕获无法判断接收方采用了哪一份。
note retransmissions RFC 9293 §3.8.1
  TCP segments were sent more than once (1 of them).
  有 TCP 报文段被重传（1 次）。
""")
case("gap", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C: one
C gap 100
C: two
{DOT}
{QUIT}
""", told=r"""
note gap RFC 9293 §3.4
  Octets are missing in the capture (100 of them): what they said is not known, and nothing is made up for them.
  捕获中缺少八位组（100 个）：其内容未知，也不作任何编造。
""")
case("smtp-reset-during-data", 25, rf"""
{HELLO}
{DATA}
{HEADER}
C: one
S reset
""", told=r"""
warning reset-during-data @6 RFC 9293 §3.5.3
  The connection was reset while a message was under way.
  邮件传输过程中连接被重置。
""")
case("pop3-reset-during-data", 110, rf"""
{POP3_LOGIN}
C: RETR 1
S: +OK
S: Date: Mon, 1 Jan 2024 00:00:00 +0000
S: Message-ID: <1@a>
S:
S: one
C reset
""", told=r"""
warning reset-during-data @3 RFC 9293 §3.5.3
  The connection was reset while a message was under way.
  邮件传输过程中连接被重置。
note no-quit RFC 1939 §6
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")
case("imap-reset-during-data", 143, rf"""
{IMAP_LOGIN}
C: a1 SELECT INBOX
S: a1 OK selected
C: a2 FETCH 1 BODY[]
S: * 1 FETCH (BODY[] {{1000}}
S\: Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@a>\r\n\r\none
C reset
""", told=r"""
warning reset-during-data @3 RFC 9293 §3.5.3
  The connection was reset while a message was under way.
  邮件传输过程中连接被重置。
note no-quit RFC 9051 §6.1.3
  The conversation ended without a proper farewell (QUIT or LOGOUT).
  会话没有正常告别（QUIT 或 LOGOUT）就结束了。
""")
case("connection-refused", 25, rf"""
C syn
S reset
""", handshake=False, told=r"""
warning connection-refused RFC 9293 §3.5.2
  The connection was refused or reset before anything was said.
  还没有任何对话，连接就被拒绝或重置。
""")
case("connection-reset-at-once", 110, rf"""
S reset
""", told=r"""
warning connection-refused RFC 9293 §3.5.2
  The connection was refused or reset before anything was said.
  还没有任何对话，连接就被拒绝或重置。
""")

# DNS that is none, and too much of everything.
case("malformed-dns-cut-header", 53, rf"""
C hex: 12 34 01 00 00 01
""", transport="udp", told=r"""
warning malformed-dns RFC 1035 §4.1
  A DNS message does not have the right form: the message ends within the header, at octet 6.
  DNS 报文格式不正确：报文在首部中就结束了，位于第 6 个八位组。
""")
case("malformed-dns-loop", 53, rf"""
C hex: {QUERY}
S hex: {ANSWER.replace("c0 0c 00 0f", "c0 1e 00 0f")}
""", transport="udp", told=r"""
warning malformed-dns @1 RFC 1035 §4.1
  A DNS message does not have the right form: answer 1: a compression pointer to octet 30, which is no earlier name, at octet 30.
  DNS 报文格式不正确：第 1 条回答记录：压缩指针指向第 30 个八位组，那里并非更早的名称，位于第 30 个八位组。
""")
case("smtp-just-not-too-much", 25, rf"""
{HELLO}
C\*4095: NOOP\r\n
C: NOOP
open
""", told=r"""
warning pipelining-not-offered @4 RFC 2920 §3.1
  Commands were sent without waiting for the replies, although the server did not offer PIPELINING (NOOP).
  服务器没有提供 PIPELINING，客户端却不等应答就连续发送命令（NOOP）。
""")
case("pop3-just-not-too-much", 110, rf"""
{POP3_LOGIN}
C\*2047: NOOP\r\n
C: NOOP
open
""", told=r"""
warning pipelining-not-offered @4 RFC 2449 §6.6
  Commands were sent without waiting for the replies, although the server did not offer PIPELINING (NOOP).
  服务器没有提供 PIPELINING，客户端却不等应答就连续发送命令（NOOP）。
""")
case("smtp-too-much", 25, rf"""
{HELLO}
C\*4096: NOOP\r\n
C: NOOP
open
""", told=r"""
warning pipelining-not-offered @4 RFC 2920 §3.1
  Commands were sent without waiting for the replies, although the server did not offer PIPELINING (NOOP).
  服务器没有提供 PIPELINING，客户端却不等应答就连续发送命令（NOOP）。
note too-much @4 RFC 5321 §4.5.3.1
  More than can be kept or understood: exchanges without a reply; what follows is told shortened.
  超出能够保存或理解的范围：没有应答的交互；后续内容从简。
""")
case("pop3-too-much", 110, rf"""
{POP3_LOGIN}
C\*2048: NOOP\r\n
C: NOOP
open
""", told=r"""
note too-much RFC 2449 §6.6
  More than can be kept or understood: commands that wait for a reply; what follows is told shortened.
  超出能够保存或理解的范围：等待应答的命令；后续内容从简。
""")
case("imap-too-much", 143, rf"""
{IMAP_LOGIN}
C\: a1 NOOP {"x" * 70000}\r\n
S: a1 BAD too long
{IMAP_QUIT}
""", told=r"""
note too-much @2 RFC 7162 §4
  More than can be kept or understood: command line; what follows is told shortened.
  超出能够保存或理解的范围：命令行；后续内容从简。
""")
