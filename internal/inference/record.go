package inference

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is the one accounting entry of a call, with a row for each attempt. Its
// JSON is what traces show.
type Record struct {
	ID                string    `json:"request_id"`
	Time              time.Time `json:"time"`
	Operation         Operation `json:"operation"`
	Principal         string    `json:"principal"`
	Door              string    `json:"door,omitempty"`   // that the call came by
	Caller            string    `json:"caller,omitempty"` // user name
	UserID            string    `json:"user_id,omitempty"`
	Key               string    `json:"key,omitempty"` // name of the key that was shown
	Team              string    `json:"team,omitempty"`
	Profile           *string   `json:"profile"`               // null for a bare model
	CopiedFrom        string    `json:"copied_from,omitempty"` // of an application profile: the profile or model id whose price holds
	Model             ModelID   `json:"model"`
	SourceRegion      Region    `json:"source_region"`
	DestinationRegion Region    `json:"destination_region,omitempty"` // empty when no attempt succeeded, or it is not known
	Destination       string    `json:"destination,omitempty"`        // says so where it is not known: "unknown (one of 8)"
	Policy            Policy    `json:"policy,omitempty"`             // that ranked the targets, empty when none was planned
	Residency         []string  `json:"residency,omitempty"`          // geographies and regions that the call was kept to, empty for none
	Fallback          string    `json:"fallback,omitempty"`           // the profile or model that answered in place of the one called
	FallbackModel     ModelID   `json:"fallback_model,omitempty"`     // of Fallback
	Plan              []Ranked  `json:"plan,omitempty"`               // how the targets were ranked, where the call asked for it
	Attempts          []Attempt `json:"attempts"`
	Continued         int       `json:"continued,omitempty"` // how often another target went on with the answer
	ShadowOf          string    `json:"shadow_of,omitempty"` // the call that this one repeats for comparison, of which no caller knows
	Outcome           Outcome   `json:"outcome"`
	Error             *Failure  `json:"error,omitempty"`        // what the caller was answered when Outcome is Failed
	Usage             Usage     `json:"usage"`                  // as the caller is told: of all attempts that the answer is made of
	Wasted            Usage     `json:"wasted_usage,omitzero"`  // of attempts whose answer was not used, in Cost too
	Estimated         bool      `json:"estimated,omitempty"`    // the answer was cut before its usage was told, and Usage is in part our own count
	Reserved          Money     `json:"reserved_usd,omitempty"` // the most that it was expected to cost, before it was made
	Cost              Money     `json:"cost_usd"`
	WastedCost        Money     `json:"wasted_cost_usd,omitempty"` // that of Wasted, in Cost too
	Saved             Money     `json:"saved_usd,omitempty"`       // less than the same tokens had cost without a prompt cache; below zero for writes that nobody read
	Charges           []Charge  `json:"-"`                         // to budgets: what it may take while it runs, what it took once it is settled
	Nearing           []Nearing `json:"nearing,omitempty"`         // budgets that it brought near their limit
	AWS               *Verdict  `json:"aws,omitempty"`             // nil when the call was refused before it was authorized
	LatencyMS         int64     `json:"latency_ms"`
	Simulated         bool      `json:"simulated"`
}

// Attempt is one call of one target.
type Attempt struct {
	Region  Region  `json:"region"`
	Model   string  `json:"model"`
	Account string  `json:"account,omitempty"` // whose, where there are several
	Outcome Outcome `json:"outcome"`
	Kind    Kind    `json:"kind,omitempty"`
	Status  int     `json:"status"`             // HTTP status; 0 when no answer came
	MS      int64   `json:"ms"`                 // up to the first content, or to the failure before it
	Hedge   bool    `json:"hedge,omitempty"`    // made beside another that was slow to answer
	Cut     bool    `json:"cut,omitempty"`      // failed in the middle of its answer
	Usage   *Usage  `json:"usage,omitempty"`    // of an attempt whose answer was not used, or was cut
	Cost    Money   `json:"cost_usd,omitempty"` // its share: those of all attempts are the record's Cost
}

// Answering is the attempt that the answer comes from: the last one that did not
// fail, else the last one. It reports false where none was made.
func (r *Record) Answering() (Attempt, bool) {
	if i := r.AnsweringAt(); i >= 0 {
		return r.Attempts[i], true
	}
	return Attempt{}, false
}

// AnsweringAt is the index of the attempt that the answer comes from, -1 where none was
// made.
func (r *Record) AnsweringAt() int {
	for i, a := range slices.Backward(r.Attempts) {
		if a.Outcome == OK {
			return i
		}
	}
	return len(r.Attempts) - 1
}

// Called is the profile that was called, empty for a bare model.
func (r *Record) Called() string {
	if r.Profile == nil {
		return ""
	}
	return *r.Profile
}

// AnsweringModel is the model that answered, else the one that was called.
func (r *Record) AnsweringModel() ModelID { return cmp.Or(r.FallbackModel, r.Model) }

// Waste is what a call used for nothing, and what that cost: the answers of attempts that
// were not used, and all of a call that failed, as of a stream that broke off.
func (r *Record) Waste() (Usage, Money) {
	if r.Outcome == Failed {
		return r.Wasted.Plus(r.Usage), r.Cost
	}
	return r.Wasted, r.WastedCost
}

// FailedOver reports whether more than one attempt was made beside hedges.
func (r *Record) FailedOver() bool {
	n := 0
	for _, a := range r.Attempts {
		if !a.Hedge {
			n++
		}
	}
	return n > 1
}

// Hedged reports whether a second attempt was made beside one that was slow.
func (r *Record) Hedged() bool {
	return slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return a.Hedge })
}

// Outcome is how an attempt or a call ended.
type Outcome string

// The outcomes.
const (
	OK     Outcome = "ok"
	Failed Outcome = "failed"

	Unknown Outcome = "unknown" // of a call whose server ended before it did
)

// Failure is an error as the caller saw it.
type Failure struct {
	Status  int    `json:"status"`
	Type    Kind   `json:"type"`
	Message string `json:"message"`
	Foreign bool   `json:"-"` // see Error: Message is for the caller alone

	RetryAfter time.Duration `json:"-"` // when to try again, 0 where nobody can say
}

// Money is an amount in billionths of a US dollar. Prices have at most four
// decimals per million tokens, so a call's cost rounds by less than one unit.
type Money int64

// Dollar is one US dollar.
const Dollar Money = 1_000_000_000

// String is the amount in dollars as a decimal without trailing zeros, "0.00123".
func (m Money) String() string {
	sign, amount, dollar := "", uint64(m), uint64(Dollar)
	if m < 0 {
		sign, amount = "-", -amount
	}
	frac := strconv.FormatUint(amount%dollar+dollar, 10)[1:]
	s := sign + strconv.FormatUint(amount/dollar, 10) + "." + frac
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalText writes the decimal form, so that JSON carries a string.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *Money) UnmarshalText(text []byte) error {
	parsed, err := ParseMoney(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// ParseMoney reads a decimal number of dollars with at most nine decimals:
// digits, where wanted a minus before them and a point with digits after them.
// Errors are Validation.
func ParseMoney(s string) (Money, error) {
	refuse := func(problem string) (Money, error) {
		return 0, &Error{Kind: Validation, Op: "parse money", Message: problem + ": " + strconv.Quote(s)}
	}
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	switch {
	case !isDigits(whole), point && !isDigits(frac):
		return refuse("not a decimal number")
	case len(frac) > decimals:
		return refuse("more than nine decimals")
	}
	digits = whole + frac + strings.Repeat("0", decimals-len(frac))
	if negative {
		digits = "-" + digits
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return refuse("too large an amount")
	}
	return Money(n), nil
}

// decimals is how many a dollar has.
const decimals = 9

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
