package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// received is what a server was given in one connection.
type received struct {
	from, to, login string
	data            string
	secure          bool // over TLS
}

// server is an SMTP server on loopback.
type server struct {
	starttls, implicit bool
	refuseTo           bool // 550 for every recipient
	quotes             bool // refuses every message, in words that are its own
	mute               bool // accepts connections and says nothing

	address  string
	roots    *x509.CertPool
	tls      *tls.Config
	inbox    chan received
	accepted chan struct{}
}

func (s server) start(t *testing.T) *server {
	t.Helper()
	s.tls, s.roots = certificate(t)
	s.inbox, s.accepted = make(chan received, 16), make(chan struct{}, 16)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.address = l.Addr().String()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted <- struct{}{}
			go s.serve(conn)
		}
	}()
	return &s
}

func (s *server) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	if s.mute {
		io.Copy(io.Discard, conn)
		return
	}
	var got received
	if s.implicit {
		conn, got.secure = tls.Server(conn, s.tls), true
	}
	text := textproto.NewConn(conn)
	text.PrintfLine("220 here")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "EHLO":
			text.PrintfLine("250-here")
			if s.starttls && !got.secure {
				text.PrintfLine("250-STARTTLS")
			}
			text.PrintfLine("250-SMTPUTF8")
			text.PrintfLine("250 AUTH PLAIN")
		case "STARTTLS":
			if !s.starttls {
				text.PrintfLine("502 no such command")
				continue
			}
			text.PrintfLine("220 go")
			conn, got.secure = tls.Server(conn, s.tls), true
			text = textproto.NewConn(conn)
		case "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			got.login = string(raw)
			if got.login != "\x00fairway\x00secret" {
				text.PrintfLine("535 wrong")
				continue
			}
			text.PrintfLine("235 welcome")
		case "MAIL":
			got.from = rest
			text.PrintfLine("250 ok")
		case "RCPT":
			got.to = rest
			if s.refuseTo {
				text.PrintfLine("550 no such mailbox")
				continue
			}
			text.PrintfLine("250 ok")
		case "DATA":
			text.PrintfLine("354 go on")
			data, err := io.ReadAll(text.DotReader())
			if err != nil {
				return
			}
			if got.data = string(data); s.quotes {
				text.PrintfLine("554-5.7.1 rejected as spam, the message was:")
				text.PrintfLine("554 5.7.1 %s", strings.ReplaceAll(got.data, "\n", " "))
				continue
			}
			text.PrintfLine("250 taken")
			s.inbox <- got
		case "QUIT":
			text.PrintfLine("221 bye")
			return
		default:
			text.PrintfLine("500 what")
		}
	}
}

// certificate vouches for itself, for 127.0.0.1.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// header reads the header of a message, and its body as it was before encoding.
func open(t testing.TB, data string) (textproto.MIMEHeader, string) {
	t.Helper()
	r := textproto.NewReader(bufio.NewReader(strings.NewReader(data)))
	header, err := r.ReadMIMEHeader()
	if err != nil {
		t.Fatalf("message has no header: %v\n%s", err, data)
	}
	body, err := io.ReadAll(decoded(r.R))
	if err != nil {
		t.Fatalf("message has no body: %v\n%s", err, data)
	}
	return header, string(body)
}
