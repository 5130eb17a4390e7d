package mail

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"time"

	"fairway/internal/wire/uuid"
)

// compose writes a message of RFC 5322. No header can be ended from within:
// addresses are parsed ones, and the subject is encoded wherever it holds anything
// but printable ASCII.
func compose(from, to *netmail.Address, m Message, now time.Time) []byte {
	var b bytes.Buffer
	for _, h := range [...]struct{ name, value string }{
		{"Date", now.Format("Mon, 02 Jan 2006 15:04:05 -0700")},
		{"From", from.String()},
		{"To", to.String()},
		{"Subject", subject(m.Subject)},
		{"Message-ID", "<" + uuid.New() + "@" + domain(from.Address) + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/html; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h.name, h.value)
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(m.Body)) // to memory: neither fails
	w.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

// subject folds before each encoded word, which mime leaves on one line.
func subject(text string) string {
	encoded := mime.QEncoding.Encode("utf-8", text)
	if encoded == text {
		return text
	}
	return "\r\n " + strings.ReplaceAll(encoded, "?= =?", "?=\r\n =?")
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
