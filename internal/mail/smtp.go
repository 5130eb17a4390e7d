package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"regexp"
	"strings"
	"time"
)

// Security is how the way to a mail server is protected.
type Security string

// The values of Security. The zero Security is StartTLS.
const (
	StartTLS Security = "starttls" // the server must offer it
	TLS      Security = "tls"      // from the first byte on
	None     Security = "none"     // anyone on the way reads the codes; a password goes to loopback only
)

// Options says where mail is sent and as whom.
type Options struct {
	Address  string // of the server, "smtp.example.com:587"
	From     string // "Recipes <no-reply@example.com>", or the address alone
	Username string // empty sends without signing in
	Password string
	Security Security
	Roots    *x509.CertPool   // that vouch for the server; nil: those of the system
	Timeout  time.Duration    // of one delivery; default 30s
	Now      func() time.Time // default time.Now
}

// atOnce bounds the connections to the server; further deliveries wait their turn.
const atOnce = 8

// SMTP delivers e-mail through one server, each message over its own connection.
// It is safe for concurrent use.
type SMTP struct {
	options Options
	host    string
	from    *netmail.Address
	turns   chan struct{}
}

// NewSMTP checks the options; it does not connect.
func NewSMTP(o Options) (*SMTP, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("set up mail: the server %q is no host:port, as in smtp.example.com:587", o.Address)
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("set up mail: the sender %q is no address: %w", o.From, err)
	}
	o.Security = cmp.Or(o.Security, StartTLS)
	switch o.Security {
	case StartTLS, TLS, None:
	default:
		return nil, fmt.Errorf("set up mail: security %q: want starttls, tls or none", o.Security)
	}
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &SMTP{options: o, host: host, from: from, turns: make(chan struct{}, atOnce)}, nil
}

var errNotEmail = errors.New("a mail server sends e-mail only: verify addresses, or deliver text messages another way")

// Deliver sends m and returns once the server has taken it on. Its errors name the
// server and never what the message says.
func (s *SMTP) Deliver(ctx context.Context, m Message) error {
	if err := s.deliver(ctx, m); err != nil {
		return fmt.Errorf("deliver %s by %s: %w", m.Medium, s.options.Address, err)
	}
	return nil
}

func (s *SMTP) deliver(ctx context.Context, m Message) error {
	if m.Medium != Email {
		return errNotEmail
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Name != "" {
		return errors.New("the recipient is not one address alone")
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.send(ctx, to.Address, compose(s.from, to, m, s.options.Now())); err != nil {
		return cmp.Or(ctx.Err(), err) // closing the connection is how ctx ends it
	}
	return nil
}

func (s *SMTP) send(ctx context.Context, to string, message []byte) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return unquoted(err)
	}
	if err := s.signIn(c); err != nil {
		return err
	}
	return hand(c, s.from.Address, to, message)
}

func (s *SMTP) connect(ctx context.Context) (net.Conn, error) {
	if s.options.Security == TLS {
		return (&tls.Dialer{Config: s.tls()}).DialContext(ctx, "tcp", s.options.Address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", s.options.Address)
}

func (s *SMTP) tls() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.options.Roots}
}

// signIn protects the connection and signs in. A server that does not offer
// STARTTLS refuses the command, so that nobody on the way can leave it out.
func (s *SMTP) signIn(c *smtp.Client) error {
	if s.options.Security == StartTLS {
		if err := c.StartTLS(s.tls()); err != nil {
			return fmt.Errorf("start tls: %w", unquoted(err))
		}
	}
	if s.options.Username == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", s.options.Username, s.options.Password, s.host)); err != nil {
		return fmt.Errorf("sign in: %w", unquoted(err))
	}
	return nil
}

// hand gives the server one message. What goes wrong after the server took it on
// is no failure: a second copy would be worse.
func hand(c *smtp.Client, from, to string, message []byte) error {
	if err := c.Mail(from); err != nil {
		return fmt.Errorf("name the sender: %w", unquoted(err))
	}
	if err := c.Rcpt(to); err != nil {
		return fmt.Errorf("name the recipient: %w", unquoted(err))
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("send: %w", unquoted(err))
	}
	if _, err := w.Write(message); err != nil {
		return fmt.Errorf("send: %w", unquoted(err))
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("send: %w", unquoted(err))
	}
	c.Quit()
	return nil
}

var enhancedStatus = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// unquoted is err without the words of the server, which may quote the message and the
// code in it: of a reply the number stays, and the enhanced status (RFC 3463).
func unquoted(err error) error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return errors.New(strings.TrimSpace(fmt.Sprintf("%03d %s", reply.Code, enhancedStatus.FindString(reply.Msg))))
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return errors.New("the server's reply is none of SMTP")
	}
	return err
}
