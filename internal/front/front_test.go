package front

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairway/internal/inference"
)

// knows lets everybody in as one principal, after it has read the body.
type knows struct{ err error }

func (k knows) Authenticate(_ *http.Request, body func() ([]byte, error)) (inference.Credential, error) {
	if k.err != nil {
		return inference.Credential{}, k.err
	}
	if _, err := body(); err != nil {
		return inference.Credential{}, err
	}
	return inference.Credential{Principal: inference.Principal{Name: "ann"}, Service: "bedrock"}, nil
}

// ledger is a Room that counts.
type ledger struct {
	calls, bytes int64
	full         error
}

func (l *ledger) Enter() (func(), error) {
	l.calls++
	return func() { l.calls-- }, nil
}

func (l *ledger) Hold(n int64) (func(), error) {
	if l.full != nil {
		return nil, l.full
	}
	l.bytes += n
	return func() { l.bytes -= n }, nil
}

func TestVisitsTakeRoomOnce(t *testing.T) {
	for name, length := range map[string]int64{"told": 5, "not told": -1} {
		room := &ledger{}
		c := Config{Authenticator: knows{}, Room: room, DefaultRegion: "us-east-1", MaxBody: 100}
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("hello")))
		r.ContentLength = length
		want := length
		if want < 0 {
			want = 101 // one more tells a body that is too long
		}
		v, err := c.Admit(httptest.NewRecorder(), r, "eu-west-1")
		if err != nil || string(v.Body) != "hello" || v.Principal.Name != "ann" || v.Region != "eu-west-1" || len(v.ID) != 36 {
			t.Errorf("%s: Admit = %+v, %v, want hello from ann in eu-west-1", name, v, err)
		}
		if room.calls != 1 || room.bytes != want {
			t.Errorf("%s: the visit takes %d calls and %d bytes, want 1 and %d", name, room.calls, room.bytes, want)
		}
		v.Leave()
		v.Leave()
		if room.calls != 0 || room.bytes != 0 {
			t.Errorf("%s: %d calls and %d bytes are taken after the visit, want none", name, room.calls, room.bytes)
		}
	}
}

func TestAdmitInsideMakesTheSameChecks(t *testing.T) {
	full := &inference.Error{Kind: inference.Throttling, Message: "full"}
	credential := inference.Credential{Principal: inference.Principal{Name: "role"}, Service: "bedrock", Region: "ap-southeast-1"}
	for _, tt := range []struct {
		name       string
		credential inference.Credential
		host       string
		body       string
		room       *ledger
		kind       inference.Kind // empty is let in
	}{
		{"let in", credential, "bedrock-runtime.ap-southeast-1.amazonaws.com", "hello", &ledger{}, ""},
		{"unsigned", inference.Credential{}, "", "hello", &ledger{}, inference.MissingAuth},
		{"another service", inference.Credential{Service: "s3"}, "", "hello", &ledger{}, inference.InvalidSignature},
		{"another region", credential, "bedrock-runtime.eu-west-1.amazonaws.com", "hello", &ledger{}, inference.InvalidSignature},
		{"too long", credential, "", strings.Repeat("x", 101), &ledger{}, inference.Validation},
		{"no room", credential, "", "hello", &ledger{full: full}, inference.Throttling},
	} {
		c := Config{Room: tt.room, MaxBody: 100}
		v, err := c.AdmitInside(tt.credential, tt.host, []byte(tt.body), "")
		e, refused := errors.AsType[*inference.Error](err)
		switch {
		case tt.kind == "" && (err != nil || v.Region != "ap-southeast-1" || v.Principal.Name != "role" || string(v.Body) != "hello" || tt.room.bytes != 5):
			t.Errorf("%s: AdmitInside = %+v, %v with %d bytes held, want it let in", tt.name, v, err, tt.room.bytes)
		case tt.kind != "" && (!refused || e.Kind != tt.kind):
			t.Errorf("%s: AdmitInside = %v, want %s", tt.name, err, tt.kind)
		}
		v.Leave()
		if tt.room.calls != 0 || tt.room.bytes != 0 {
			t.Errorf("%s: %d calls and %d bytes are taken after the visit, want none", tt.name, tt.room.calls, tt.room.bytes)
		}
	}
}

// TestRefusedVisitsLeave: what a refusal has taken is given back too, and it has
// an id to be answered with.
func TestRefusedVisitsLeave(t *testing.T) {
	refusal := &inference.Error{Kind: inference.UnrecognizedClient, Message: "m"}
	for name, c := range map[string]Config{
		"nobody":   {Authenticator: knows{refusal}},
		"too long": {Authenticator: knows{}, MaxBody: 4},
		"no room":  {Authenticator: knows{}, MaxBody: 100},
	} {
		room := &ledger{}
		if name == "no room" {
			room.full = &inference.Error{Kind: inference.Throttling, Message: "full"}
		}
		c.Room = room
		v, err := c.Admit(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader("hello")), "")
		if err == nil || v.ID == "" {
			t.Errorf("%s: Admit = %+v, %v, want an error and an id", name, v, err)
		}
		if v.Leave(); room.calls != 0 || room.bytes != 0 {
			t.Errorf("%s: %d calls and %d bytes are taken after the visit, want none", name, room.calls, room.bytes)
		}
	}
}

func TestDescribe(t *testing.T) {
	h := http.Header{}
	v := &Visit{Steering: inference.Steering{Cost: true}}
	if v.Describe(h, nil); len(h) != 0 {
		t.Errorf("Describe of no record = %v, want nothing", h)
	}
	record := &inference.Record{
		Attempts: []inference.Attempt{
			{Region: "ap-southeast-1", Outcome: inference.Failed}, {Region: "ap-northeast-1", Outcome: inference.OK},
			{Region: "ap-southeast-2", Outcome: inference.Failed, Kind: inference.Canceled, Hedge: true},
		},
		Continued: 1,
		Simulated: true, DestinationRegion: "ap-northeast-1",
		Nearing: []inference.Nearing{{Budget: "kitchen", Measure: inference.DollarsPerDay, Percent: 83}, {Budget: "all", Measure: inference.Streams, Percent: 100}},
	}
	v.Describe(h, record)
	v.Announce(h)
	for _, name := range strings.Split(h.Get("Trailer"), ", ") {
		if h.Get(name) != "" {
			t.Errorf("%s = %q before the end, want a trailer", name, h.Get(name))
		}
	}
	record.Outcome, record.Usage, record.Cost = inference.OK, inference.Usage{InputTokens: 12, OutputTokens: 5}, 4_725_000
	v.Conclude(h, record)
	for name, want := range map[string]string{
		"X-Fairway-Attempts": "3", "X-Fairway-Continued": "1", "X-Fairway-Entry-Region": "ap-northeast-1", "X-Fairway-Destination-Region": "ap-northeast-1",
		"X-Fairway-Simulated": "true", "X-Fairway-Outcome": "ok", "X-Fairway-Input-Tokens": "12", "X-Fairway-Output-Tokens": "5",
		"X-Fairway-Budget": "kitchen dollars_per_day 83%, all streams 100%", "X-Fairway-Cost-Usd": "0.004725",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	whole, unasked := http.Header{}, http.Header{}
	v.Describe(whole, record)
	(&Visit{}).Describe(unasked, record)
	if got, other := whole.Get("X-Fairway-Cost-Usd"), unasked.Get("X-Fairway-Cost-Usd"); got != "0.004725" || other != "" {
		t.Errorf("cost of a whole answer = %q, where nobody asks %q, want 0.004725 and none", got, other)
	}
	refused := http.Header{}
	v.Describe(refused, &inference.Record{Simulated: true})
	if got := refused.Values("X-Fairway-Simulated"); got != nil || refused.Get("X-Fairway-Attempts") != "0" {
		t.Errorf("without an attempt X-Fairway-Simulated = %q, want none", got)
	}
}

// TestBearersNeedPermission: who comes with a bearer key is asked for, in the region
// of the call, before the body is read.
func TestBearersNeedPermission(t *testing.T) {
	denied := &inference.Error{Kind: inference.AccessDenied, Message: "denied"}
	for name, tt := range map[string]struct {
		bearer bool
		answer error
		asked  string
		err    error
	}{
		"let":      {true, nil, "ann eu-west-1", nil},
		"denied":   {true, denied, "ann eu-west-1", denied},
		"a signer": {false, denied, "", nil},
	} {
		asked, log := "", &strings.Builder{}
		c := Config{
			Authenticator: bearing(tt.bearer), Log: slog.New(slog.NewTextHandler(log, nil)),
			PermitBearer: func(p inference.Principal, source inference.Region, _ inference.Circumstances) error {
				asked = p.Name + " " + string(source)
				return tt.answer
			},
		}
		v, err := c.Admit(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader("hello")), "eu-west-1")
		if !errors.Is(err, tt.err) || asked != tt.asked || (err == nil) != (string(v.Body) == "hello") {
			t.Errorf("%s: Admit = %+v, %v after asking for %q, want %v and %q", name, v, err, asked, tt.err, tt.asked)
		}
		if logged := strings.Contains(log.String(), "call denied"); logged != (tt.err != nil) {
			t.Errorf("%s: log = %q, want it to tell of a denial: %t", name, log, tt.err != nil)
		}
	}
}

// bearing lets everybody in as one principal, with a bearer key or not.
type bearing bool

func (b bearing) Authenticate(*http.Request, func() ([]byte, error)) (inference.Credential, error) {
	return inference.Credential{Principal: inference.Principal{Name: "ann"}, Service: "bedrock", Bearer: bool(b)}, nil
}
