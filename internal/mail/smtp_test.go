package mail

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"
)

func decoded(r io.Reader) io.Reader { return quotedprintable.NewReader(r) }

var sentAt = time.Date(2026, 11, 22, 10, 44, 6, 0, time.FixedZone("", 8*3600))

func courier(t *testing.T, s *server, o Options) *SMTP {
	t.Helper()
	o.Address, o.From = s.address, "Récipes <no-reply@example.com>"
	if o.Roots == nil {
		o.Roots = s.roots
	}
	o.Now = func() time.Time { return sentAt }
	c, err := NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var hello = Message{Medium: Email, To: "ana@example.com", Subject: "Ihr Code für die Küche, und noch mehr Wörter, damit es über eine Zeile geht", Body: "<b>Code</b>: 123456\n.\nüber", Code: "123456", Username: "ana"}

func TestDeliver(t *testing.T) {
	login := Options{Username: "fairway", Password: "secret"}
	for name, c := range map[string]struct {
		server  server
		options Options
		secure  bool
	}{
		"starttls": {server{starttls: true}, login, true},
		"tls":      {server{implicit: true}, Options{Security: TLS, Username: "fairway", Password: "secret"}, true},
		"none":     {server{starttls: true}, Options{Security: None}, false},
		"unsigned": {server{starttls: true}, Options{Security: StartTLS}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.server.start(t)
			if err := courier(t, s, c.options).Deliver(t.Context(), hello); err != nil {
				t.Fatalf("Deliver = %v", err)
			}
			got := <-s.inbox
			if got.secure != c.secure {
				t.Errorf("delivered over TLS: %t, want %t", got.secure, c.secure)
			}
			if want := c.options.Username != ""; (got.login != "") != want {
				t.Errorf("signed in: %q, want %t", got.login, want)
			}
			if !strings.HasPrefix(got.from, "FROM:<no-reply@example.com>") || !strings.HasPrefix(got.to, "TO:<ana@example.com>") {
				t.Errorf("envelope %q, %q", got.from, got.to)
			}
			checkMessage(t, got.data)
		})
	}
}

func checkMessage(t *testing.T, data string) {
	t.Helper()
	header, body := open(t, data)
	if want := "<b>Code</b>: 123456\n.\nüber\n"; body != want {
		t.Errorf("body = %q, want %q", body, want)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || subject != hello.Subject {
		t.Errorf("subject = %q (%v), want %q", subject, err, hello.Subject)
	}
	from, err := netmail.ParseAddress(header.Get("From"))
	if err != nil || from.Name != "Récipes" || from.Address != "no-reply@example.com" {
		t.Errorf("From = %v (%v)", from, err)
	}
	if got, want := header.Get("Date"), "Sun, 22 Nov 2026 10:44:06 +0800"; got != want {
		t.Errorf("Date = %q, want %q", got, want)
	}
	if id := header.Get("Message-Id"); !strings.HasSuffix(id, "@example.com>") || len(id) < 40 {
		t.Errorf("Message-ID = %q", id)
	}
	for _, line := range strings.Split(data, "\n") {
		if len(line) > 78 {
			t.Errorf("a line has %d bytes: %q", len(line), line)
		}
	}
}

func TestDeliverFails(t *testing.T) {
	good := Options{Username: "fairway", Password: "secret"}
	for name, c := range map[string]struct {
		server  server
		options Options
		message Message
		want    string
	}{
		"no starttls":      {server{}, good, hello, "start tls: 502"},
		"stranger's cert":  {server{starttls: true}, Options{Roots: x509.NewCertPool()}, hello, "start tls: "},
		"stranger's tls":   {server{implicit: true}, Options{Security: TLS, Roots: x509.NewCertPool()}, hello, "certificate"},
		"wrong password":   {server{starttls: true}, Options{Username: "fairway", Password: "other"}, hello, "sign in: 535"},
		"no such mailbox":  {server{starttls: true, refuseTo: true}, good, hello, "name the recipient: 550"},
		"quoted message":   {server{starttls: true, quotes: true}, good, hello, "send: 554 5.7.1"},
		"text message":     {server{starttls: true}, good, Message{Medium: SMS, To: "+6512345678", Body: "123456"}, "e-mail only"},
		"two recipients":   {server{starttls: true}, good, Message{Medium: Email, To: "a@example.com, b@example.com"}, "not one address"},
		"smuggled header":  {server{starttls: true}, good, Message{Medium: Email, To: "a@example.com\r\nBcc: b@example.com"}, "not one address"},
		"smuggled name":    {server{starttls: true}, good, Message{Medium: Email, To: "b <a@example.com>"}, "not one address"},
		"smuggled command": {server{starttls: true}, good, Message{Medium: Email, To: "\"a\r\nDATA\"@example.com"}, "not one address"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.server.start(t)
			err := courier(t, s, c.options).Deliver(t.Context(), c.message)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Deliver = %v, want %q in it", err, c.want)
			}
			if !strings.Contains(err.Error(), s.address) {
				t.Errorf("Deliver = %v, want the server named", err)
			}
			for _, secret := range []string{"123456", "secret", "Küche"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("Deliver = %v, which tells %q", err, secret)
				}
			}
			if len(s.inbox) > 0 {
				t.Errorf("the server was given %v", <-s.inbox)
			}
		})
	}
}

func TestUnquoted(t *testing.T) {
	cause := errors.New("connection reset")
	for _, c := range []struct {
		err  error
		want string
	}{
		{&textproto.Error{Code: 550, Msg: "5.1.1 <ana> 123456"}, "550 5.1.1"},
		{&textproto.Error{Code: 550, Msg: "5.1.123456 no"}, "550"},
		{&textproto.Error{Code: 421, Msg: "123456"}, "421"},
		{&textproto.Error{Code: 421}, "421"},
		{textproto.ProtocolError("short response: 123456"), "the server's reply is none of SMTP"},
		{cause, "connection reset"},
	} {
		if got := unquoted(c.err); got.Error() != c.want {
			t.Errorf("unquoted(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestPasswordStaysOffOpenWires(t *testing.T) {
	c, err := NewSMTP(Options{Address: "192.0.2.1:25", From: "a@example.com", Security: None, Username: "fairway", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	s := server{starttls: true}.start(t)
	c.options.Address = s.address // the server that 192.0.2.1 is in this test
	if err := c.Deliver(t.Context(), hello); err == nil || !strings.Contains(err.Error(), "unencrypted") {
		t.Errorf("Deliver with a password in the clear = %v, want a refusal", err)
	}
}

func TestDeliverEndsWithItsContext(t *testing.T) {
	s := server{mute: true}.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.accepted
		cancel()
	}()
	if err := courier(t, s, Options{}).Deliver(ctx, hello); !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver that is canceled = %v, want %v", err, context.Canceled)
	}
}

func TestDeliverTimesOut(t *testing.T) {
	s := server{mute: true}.start(t)
	if err := courier(t, s, Options{Timeout: time.Millisecond}).Deliver(t.Context(), hello); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Deliver to a mute server = %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestDeliveriesTakeTurns(t *testing.T) {
	s := server{starttls: true}.start(t)
	c := courier(t, s, Options{})
	for range atOnce {
		c.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Deliver(ctx, hello); !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver while all turns are taken = %v, want %v", err, context.Canceled)
	}
	if len(s.accepted) > 0 {
		t.Error("Deliver connected before its turn")
	}
	<-c.turns
	if err := c.Deliver(t.Context(), hello); err != nil {
		t.Errorf("Deliver in its turn = %v", err)
	}
	if len(c.turns) != atOnce-1 {
		t.Errorf("Deliver kept its turn")
	}
}

func TestNewSMTPRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"no port":     {Options{Address: "smtp.example.com", From: "a@example.com"}, "host:port"},
		"no host":     {Options{Address: ":587", From: "a@example.com"}, "host:port"},
		"no sender":   {Options{Address: "smtp.example.com:587"}, "sender"},
		"two senders": {Options{Address: "smtp.example.com:587", From: "a@example.com, b@example.com"}, "sender"},
		"security":    {Options{Address: "smtp.example.com:587", From: "a@example.com", Security: "ssl"}, "starttls, tls or none"},
	} {
		if _, err := NewSMTP(c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: NewSMTP = %v, want %q in it", name, err, c.want)
		}
	}
}

func TestLog(t *testing.T) {
	var b bytes.Buffer
	if err := NewLog(slog.New(slog.NewJSONHandler(&b, nil))).Deliver(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"level":"INFO"`, `"msg":"verification code"`, `"code":"123456"`, `"username":"ana"`, `"medium":"EMAIL"`, `"to":"ana@example.com"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("log = %s, want %s in it", b.String(), want)
		}
	}
}

var headers = []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}

// FuzzCompose checks that nothing in a subject or body becomes a header, and that
// both come back.
func FuzzCompose(f *testing.F) {
	f.Add("Your verification code", "Your confirmation code is 123456")
	f.Add("a\r\nBcc: b@example.com\r\n\r\nbody", ".\r\n.\r\nQUIT\r\n")
	f.Add("?= =?utf-8?q?x?=", "=3D=\n=")
	f.Add(strings.Repeat("ü", 200), strings.Repeat("x", 2000))
	from, to := &netmail.Address{Address: "a@example.com"}, &netmail.Address{Address: "b@example.com"}
	f.Fuzz(func(t *testing.T, subject, body string) {
		data := string(compose(from, to, Message{Subject: subject, Body: body}, sentAt))
		header, got := open(t, data)
		if names := slices.Sorted(maps.Keys(map[string][]string(header))); !slices.Equal(names, headers) {
			t.Fatalf("headers = %q, want %q", names, headers)
		}
		checkOnce(t, header)
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
		if want := body; lines.Replace(got) != lines.Replace(want)+"\n" {
			t.Errorf("body = %q, want %q", got, want)
		}
	})
}

func checkOnce(t *testing.T, header textproto.MIMEHeader) {
	t.Helper()
	for name, values := range header {
		if len(values) != 1 {
			t.Errorf("%s = %q, want it once", name, values)
		}
	}
}
