package sim

import (
	"strings"
	"time"

	"fairway/internal/inference"
)

// Quota is what every region admits, for each account, model and scope. 0 is the
// default, a negative number is no limit. Minutes are simulated ones, so a world
// at ten times the speed admits ten times as much; at Instant, where simulated
// time stands still, a configured quota counts in real minutes and the defaults
// do not limit.
type Quota struct {
	TokensPerMinute   int // default: as Bedrock has it, see defaultTPM
	RequestsPerMinute int // default: none, as Bedrock stopped counting requests in 2026
}

// Default tokens per minute. Claude Sonnet 4 cross-region has 200,000 (quota
// L-59759B4A) and Claude Opus 4.8 has 30 million; the other models are taken to
// have what Sonnet 4 has. New accounts get much less.
const (
	defaultTPM  = 200_000
	opus48TPM   = 30_000_000
	opus48Model = "anthropic.claude-opus-4-8"
)

// Scopes in which Bedrock counts a model's tokens separately.
const (
	onDemand    = "on-demand"
	crossRegion = "cross-region"
	global      = "global cross-region"
)

// bucketKey says whose tokens and for what.
type bucketKey struct {
	account string
	model   inference.ModelID
	scope   string
}

// bucket counts the call's tokens: by what the caller named it is an on-demand
// call of the model, or a call through a profile.
func (c *call) bucket(t inference.Target, r *inference.Request) bucketKey {
	named := r.Model[strings.LastIndexByte(r.Model, '/')+1:]
	scope := crossRegion
	switch {
	case named == "" || named == string(c.model.ID):
		scope = onDemand
	case strings.HasPrefix(named, "global."):
		scope = global
	}
	return bucketKey{account: t.Account, model: c.model.ID, scope: scope}
}

// bucket is a quota that refills continuously.
type bucket struct {
	tokens   gauge
	requests gauge
}

// gauge is one token bucket: it holds up to limit and refills in a minute.
type gauge struct {
	limit  int // per minute, not above 0 is unlimited
	minute time.Duration
	level  float64 // below zero after a call that burnt more than it reserved
	at     time.Time
}

func (g *gauge) refill(now time.Time) {
	if elapsed := now.Sub(g.at); elapsed > 0 {
		g.level = min(float64(g.limit), g.level+float64(g.limit)*float64(elapsed)/float64(g.minute))
		g.at = now
	}
}

func (g *gauge) fits(n int, now time.Time) bool {
	if g.limit <= 0 {
		return true
	}
	g.refill(now)
	return g.level >= float64(n)
}

func (g *gauge) take(n int) { g.level -= float64(n) }

// give returns tokens that were reserved and not burnt, never above the limit.
func (g *gauge) give(n int) { g.level = min(float64(g.limit), g.level+float64(n)) }

// bucket finds or makes a bucket; r.mu is held.
func (r *region) bucket(w *World, key bucketKey, now time.Time) *bucket {
	b, ok := r.buckets[key]
	if !ok {
		minute := time.Minute
		if w.config.Speed != Instant {
			minute = max(1, w.scale(time.Minute))
		}
		full := func(limit int) gauge { return gauge{limit: limit, minute: minute, level: float64(limit), at: now} }
		b = &bucket{tokens: full(w.tokensPerMinute(key.model)), requests: full(w.config.Quota.RequestsPerMinute)}
		r.buckets[key] = b
	}
	return b
}

func (w *World) tokensPerMinute(model inference.ModelID) int {
	switch {
	case w.config.Quota.TokensPerMinute != 0:
		return w.config.Quota.TokensPerMinute
	case w.config.Speed == Instant:
		return 0
	case model == opus48Model:
		return opus48TPM
	default:
		return defaultTPM
	}
}

// charge is a reservation of a running call.
type charge struct {
	region   *region
	bucket   *bucket
	reserved int
}

// reserve takes n tokens and one request, or neither and answers Throttling.
func (r *region) reserve(w *World, key bucketKey, n int) (*charge, error) {
	now := w.config.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.bucket(w, key, now)
	message := ""
	switch {
	case !b.requests.fits(1, now):
		message = tooManyRequests
	case !b.tokens.fits(n, now):
		message = tooManyTokens
	}
	if message != "" {
		r.throttled++
		return nil, &inference.Error{Kind: inference.Throttling, Message: message}
	}
	b.requests.take(1)
	b.tokens.take(n)
	return &charge{region: r, bucket: b, reserved: n}, nil
}

// settle replaces the reservation by what the call burnt.
func (c *charge) settle(burnt int) {
	c.region.mu.Lock()
	defer c.region.mu.Unlock()
	c.bucket.tokens.give(c.reserved - burnt)
}

// QuotaStatus is one bucket as an operator sees it.
type QuotaStatus struct {
	Account         string            `json:"account,omitempty"`
	Model           inference.ModelID `json:"model"`
	Scope           string            `json:"scope"`             // "on-demand", "cross-region" or "global cross-region"
	Used            int               `json:"used"`              // tokens taken and not yet refilled
	TokensPerMinute int               `json:"tokens_per_minute"` // 0 is unlimited
}

func (b *bucket) status(key bucketKey, now time.Time) QuotaStatus {
	s := QuotaStatus{Account: key.account, Model: key.model, Scope: key.scope, TokensPerMinute: max(0, b.tokens.limit)}
	if s.TokensPerMinute > 0 {
		b.tokens.refill(now)
		s.Used = b.tokens.limit - int(b.tokens.level)
	}
	return s
}
