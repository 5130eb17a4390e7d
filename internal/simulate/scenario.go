package simulate

import (
	"time"

	"fairway/internal/inference"
)

// Scenario is a world to route in. The keys of its YAML are in the tags; what a key
// means and its default are in docs/simulate.md. Rates, quotas, sessions and
// capacities are those of the whole service, before they are divided.
type Scenario struct {
	Name  string `yaml:"-"`
	About string `yaml:"-"` // the comment that the file begins with

	Model        string                      `yaml:"model"`        // profile or model, as callers name it
	Destinations []inference.Region          `yaml:"destinations"` // empty: the profile's
	Duration     time.Duration               `yaml:"duration"`     // in which calls come
	Divide       float64                     `yaml:"divide"`       // rates and quotas, to simulate fewer calls
	Seed         uint64                      `yaml:"seed"`
	Within       time.Duration               `yaml:"within"`  // that an answer is to be complete, to count as good
	Gateway      inference.Region            `yaml:"gateway"` // where the one gateway is; empty: one in each source region
	Policies     []inference.Policy          `yaml:"policies"`
	Traffic      []Traffic                   `yaml:"traffic"`
	Tokens       Tokens                      `yaml:"tokens"`
	Sessions     Sessions                    `yaml:"sessions"`
	Latency      Latency                     `yaml:"latency"`
	Quota        Quota                       `yaml:"quota"`
	Regions      map[inference.Region]Region `yaml:"regions"` // what is other there
	Faults       []Fault                     `yaml:"faults"`
	Price        Price                       `yaml:"price"`
	Users        Users                       `yaml:"users"`
	Budgets      []Budget                    `yaml:"budgets"`
	Route        Routing                     `yaml:"route"`
}

// Traffic is calls that come to some source regions, to each alike.
type Traffic struct {
	Sources []inference.Region `yaml:"sources"`
	Rate    float64            `yaml:"rate"` // calls a second to each, on average; at the height of a day
	Bursts  Bursts             `yaml:"bursts"`
	Day     Day                `yaml:"day"`
}

// Bursts are spells with more calls than usual, one at the end of every Every.
type Bursts struct {
	Every time.Duration `yaml:"every"` // 0 is never
	Last  time.Duration `yaml:"last"`
	Times float64       `yaml:"times"` // the rate
}

// Day is the curve of a day by the sun at the source region: a cosine that is 1 at
// Peak and Night twelve hours from it. The clock starts at midnight UTC.
type Day struct {
	Peak  time.Duration `yaml:"peak"` // after local midnight
	Night float64       `yaml:"night"`
}

// Tokens is how long prompts and answers are.
type Tokens struct {
	Input  Lognormal `yaml:"input"` // beside a session's prefix
	Output Lognormal `yaml:"output"`
	Max    int       `yaml:"max"` // max_tokens of every call, which cuts the answer
}

// Lognormal is a distribution by its median and the standard deviation of the
// logarithm.
type Lognormal struct {
	Median float64 `yaml:"median"`
	Sigma  float64 `yaml:"sigma"`
}

// Sessions are series of calls whose prompts begin with the same tokens, marked for
// the prompt cache.
type Sessions struct {
	Share  float64       `yaml:"share"` // of the calls
	Open   int           `yaml:"open"`  // at a time in each source region
	Calls  float64       `yaml:"calls"` // of a session, on average
	Prefix Lognormal     `yaml:"prefix"`
	Cache  time.Duration `yaml:"cache"` // that a region keeps a prefix after its last use
}

// Latency is how fast a region answers, beside the way there.
type Latency struct {
	First    time.Duration `yaml:"first"` // median time to the first token of a short prompt
	Sigma    float64       `yaml:"sigma"`
	Read     float64       `yaml:"read"`     // tokens a second of the prompt
	Write    float64       `yaml:"write"`    // tokens a second of the answer
	Capacity int           `yaml:"capacity"` // calls in flight from which on a region slows down in proportion; 0 is any
	Rush     Rush          `yaml:"rush"`
}

// Rush is the slowness of a region by its own day, for what others ask of it: Times at
// Peak after midnight by the sun, none twelve hours from it, a cosine between.
type Rush struct {
	Peak  time.Duration `yaml:"peak"`
	Times float64       `yaml:"times"` // 0 and 1 are none
}

// Quota is what a region grants in a minute. 0 is no limit.
type Quota struct {
	Tokens   int  `yaml:"tokens"`
	Requests int  `yaml:"requests"`
	Known    bool `yaml:"known"` // the router is told, and need not learn it from throttles
}

// Region is what is other in one region. Zero members are as everywhere.
type Region struct {
	First    time.Duration `yaml:"first"`
	Capacity int           `yaml:"capacity"`
	Tokens   int           `yaml:"tokens"`
	Requests int           `yaml:"requests"`
}

// Fault is something wrong with regions for a while: all of the while or, where Every
// is set, for Last at the start of every Every.
type Fault struct {
	Regions []inference.Region `yaml:"regions"`
	Kind    FaultKind          `yaml:"kind"`
	From    time.Duration      `yaml:"from"`
	To      time.Duration      `yaml:"to"` // 0 is the end
	Every   time.Duration      `yaml:"every"`
	Last    time.Duration      `yaml:"last"`
	Share   float64            `yaml:"share"` // of the calls that meet it; 0 is all
	Times   float64            `yaml:"times"` // slow: how much slower; default 10
}

// FaultKind is what is wrong.
type FaultKind string

// The faults, as simulated regions have them; Stall is what real ones do in a
// brownout: an answer begins and then nothing comes.
const (
	Down       FaultKind = "down" // connections are refused, and those that are open break
	Hang       FaultKind = "hang" // nothing comes
	Slow       FaultKind = "slow"
	Throttle   FaultKind = "throttle"
	ServerSide FaultKind = "5xx"
	Stall      FaultKind = "stall"
	Cut        FaultKind = "cut" // the answer breaks off half-way
)

var faultKinds = []FaultKind{Down, Hang, Slow, Throttle, ServerSide, Stall, Cut}

// Price is in dollars for a million tokens. The zero Price is the catalog's.
type Price struct {
	Input      inference.Money `yaml:"input"`
	Output     inference.Money `yaml:"output"`
	CacheRead  inference.Money `yaml:"cache_read"`
	CacheWrite inference.Money `yaml:"cache_write"`
}

// Users are who makes the calls.
type Users struct {
	Count int     `yaml:"count"`
	Heavy float64 `yaml:"heavy"` // share of the calls that the first of them makes beside what all make alike
}

// Budget is what calls may take together, or those of each user. A limit of 0 is none.
type Budget struct {
	Name              string          `yaml:"name"`
	Per               string          `yaml:"per"` // "user", or empty for one that all share
	DollarsPerDay     inference.Money `yaml:"dollars_per_day"`
	DollarsPerMonth   inference.Money `yaml:"dollars_per_month"`
	TokensPerMinute   int             `yaml:"tokens_per_minute"`
	RequestsPerMinute int             `yaml:"requests_per_minute"`
	Streams           int             `yaml:"streams"` // at a time
}

// Routing is the router's settings.
type Routing struct {
	Order          []inference.Region           `yaml:"order"`
	Weights        map[inference.Region]float64 `yaml:"weights"`
	AttemptTimeout time.Duration                `yaml:"attempt_timeout"`
	StallTimeout   time.Duration                `yaml:"stall_timeout"`
	ChunkTimeout   time.Duration                `yaml:"chunk_timeout"`
	FirstContent   time.Duration                `yaml:"first_content"`
	CallTimeout    time.Duration                `yaml:"call_timeout"`
	MaxAttempts    int                          `yaml:"max_attempts"`
	KeepCache      time.Duration                `yaml:"keep_cache"`
	Continue       bool                         `yaml:"continue"` // an answer that breaks off goes on from another region
	Hedge          Hedge                        `yaml:"hedge"`
	Retry          Retry                        `yaml:"retry"`
	Breaker        Breaker                      `yaml:"breaker"`
}

// Hedge is route.Hedge.
type Hedge struct {
	Budget float64       `yaml:"budget"`
	Least  time.Duration `yaml:"least"`
}

// Retry is route.Retry.
type Retry struct {
	Budget  float64       `yaml:"budget"`
	Reserve float64       `yaml:"reserve"`
	Wait    time.Duration `yaml:"wait"`
}

// Breaker is route.BreakerConfig.
type Breaker struct {
	Failures    int           `yaml:"failures"`
	FailureRate float64       `yaml:"failure_rate"`
	MinCalls    int           `yaml:"min_calls"`
	Window      time.Duration `yaml:"window"`
	OpenFor     time.Duration `yaml:"open_for"`
	MaxOpenFor  time.Duration `yaml:"max_open_for"`
}

// Defaults is the scenario before its file is read: a mid-size model with the
// latencies of simulated regions, and a server's own settings: those of the router
// that stand here, and its defaults.
func Defaults() *Scenario {
	return &Scenario{
		Duration: 10 * time.Minute,
		Divide:   1,
		Seed:     1,
		Within:   30 * time.Second,
		Policies: []inference.Policy{inference.Adaptive, inference.Ordered, inference.RoundRobin, inference.LeastLoad},
		Tokens: Tokens{
			Input:  Lognormal{Median: 1200, Sigma: 0.8},
			Output: Lognormal{Median: 250, Sigma: 0.6},
			Max:    1024,
		},
		Sessions: Sessions{
			Open: 50, Calls: 8, Cache: 5 * time.Minute,
			Prefix: Lognormal{Median: 6000, Sigma: 0.4},
		},
		Users:   Users{Count: 1},
		Latency: Latency{First: 650 * time.Millisecond, Sigma: 0.25, Read: 20_000, Write: 70},
		Route: Routing{
			FirstContent: 5 * time.Minute,
			CallTimeout:  time.Hour,
			KeepCache:    50 * time.Millisecond,
			Hedge:        Hedge{Budget: 0.05, Least: 100 * time.Millisecond},
			Retry:        Retry{Budget: 0.2, Reserve: 10, Wait: 2 * time.Second},
		},
	}
}
