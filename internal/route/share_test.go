package route

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// shareOf60k is quotaOf60k of which a server has some parts.
func shareOf60k(parts int64) *bucket {
	b := new(bucket)
	b.configure(Quota{TokensPerMinute: 60_000, RequestsPerMinute: 600}, parts, epoch)
	return b
}

// leaseParts gives a bucket a share, as Router.Share does.
func leaseParts(b *bucket, parts int64, now time.Time) {
	b.leased, b.parts = true, parts
	b.divide(now)
}

func expectWait(t *testing.T, b *bucket, what string, tokens int, at time.Time, want time.Duration) {
	t.Helper()
	if got := b.wait(tokens, at); got != want {
		t.Errorf("wait(%d) %s = %v, want %v", tokens, what, got, want)
	}
}

func TestShare(t *testing.T) {
	b := shareOf60k(50)
	expectWait(t, b, "of a block", 3000, epoch, 0)
	b.take(3000, epoch)
	expectWait(t, b, "of a block that was taken", 1000, epoch, 20*time.Second)
	leaseParts(b, 500, epoch)
	expectWait(t, b, "of half of the quota, just leased", 1000, epoch, 2*time.Second)
	at := epoch.Add(30 * time.Second)
	expectWait(t, b, "half a minute later", 15_000, at, 0)
	leaseParts(b, 100, at)
	expectWait(t, b, "of a tenth, when half was left", 3000, at, 0)
	expectWait(t, b, "beyond what was left of that", 4000, at, 10*time.Second)
	leaseParts(b, 0, at)
	expectWait(t, b, "of nothing", 1, at, time.Second)
	if !b.inForce(at) || room(b, at) != 0 {
		t.Error("a target without a share is not bound by its quota")
	}
	leaseParts(b, 1000, at)
	expectWait(t, b, "of all, after nothing", 1000, at, time.Second)
}

// What a call took beyond a share is missing in a smaller one, too.
func TestShareKeepsWhatIsMissing(t *testing.T) {
	b := shareOf60k(500)
	b.take(60_000, epoch)
	leaseParts(b, 100, epoch)
	expectWait(t, b, "with 30,000 tokens missing of 6,000 a minute", 6000, epoch, 6*time.Minute)
}

// A target that starts without a share has its first one at once, and later ones as they
// are earned.
func TestFirstShareIsFull(t *testing.T) {
	b := shareOf60k(0)
	expectWait(t, b, "before any share", 1, epoch, time.Second)
	leaseParts(b, 50, epoch)
	expectWait(t, b, "of the first share", 3000, epoch, 0)
	leaseParts(b, 0, epoch)
	leaseParts(b, 50, epoch.Add(time.Hour))
	expectWait(t, b, "of a later share", 3000, epoch.Add(time.Hour), time.Minute)
}

// However shares move between servers, calls that take what fits have the blocks that
// servers start with, and what the quota and those blocks earn.
func TestSharesNeverAdmitMore(t *testing.T) {
	const limit = 60_000
	rapid.Check(t, func(t *rapid.T) {
		servers := make([]*bucket, rapid.IntRange(1, 5).Draw(t, "servers"))
		block := rapid.Int64Range(1, 100).Draw(t, "block")
		for i := range servers {
			servers[i] = new(bucket)
			servers[i].configure(Quota{TokensPerMinute: limit}, block, epoch)
		}
		held := make([]int64, len(servers))
		at, admitted := epoch, 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			i := rapid.IntRange(0, len(servers)-1).Draw(t, "server")
			b := servers[i]
			if rapid.Bool().Draw(t, "moves") {
				free := int64(Whole) + held[i]
				for _, h := range held {
					free -= h
				}
				held[i] = rapid.Int64Range(0, free).Draw(t, "parts")
				leaseParts(b, held[i], at)
				continue
			}
			tokens := rapid.IntRange(1, 20_000).Draw(t, "tokens")
			for range 10 {
				if int64(tokens) <= b.tokens.bound(at.UnixNano()) && b.fits(tokens, at) {
					b.take(tokens, at)
					admitted += tokens
				}
			}
			shares := 1 + float64(len(servers))*float64(block)/Whole
			most := limit*(float64(len(servers))*float64(block)/Whole+shares*at.Sub(epoch).Minutes()) + 1
			if float64(admitted) > most*1.001 {
				t.Fatalf("%d tokens were admitted in %v, want at most %.0f", admitted, at.Sub(epoch), most)
			}
		}
	})
}

func TestQuotas(t *testing.T) {
	clock := &steppedClock{now: epoch}
	w := &world{regions: map[inference.Region]behaviour{"a": sends(whole), "b": sends(whole)}}
	config := Config{
		Upstream: w, Clock: clock, Shared: true, Start: 0,
		Quotas: []Quota{{Regions: []inference.Region{"a"}, TokensPerMinute: 60_000}},
	}
	r := New(config)
	if got := r.Quotas(); len(got) != 0 {
		t.Errorf("Quotas() before any call = %+v, want none", got)
	}
	grant := granted("a", "b")
	r.Plan(nil, plain(r, grant), epoch)
	got := r.Quotas()
	if len(got) != 1 || got[0].Region != "a" || got[0].Share != 0 || !got[0].Last.Equal(epoch) || got[0].Left != 0 {
		t.Fatalf("Quotas() of a target that a call missed = %+v, want it without a share", got)
	}
	r.Share("a", model, "", 100)
	r.Share("nowhere", model, "", 100)
	plan := r.Plan(nil, plain(r, grant), epoch)
	if plan[0].Target.Region != "a" {
		t.Errorf("Plan() with a share begins at %s, want a", plan[0].Target.Region)
	}
	g := r.health.guard(*plan[0].Target)
	g.enter(3000, epoch)
	g.enter(1500, epoch)
	g.leave(3000, 500, epoch)
	want := QuotaUse{
		Region: "a", Model: model, Tokens: Used{60_000, 2000}, Requests: Used{0, 2},
		Reserved: 4500, Left: 2. / 3, Share: 100, Last: epoch.Local(),
	}
	if got := r.Quotas(); len(got) != 1 || got[0] != want {
		t.Errorf("Quotas() = %+v, want %+v", got, want)
	}
	r = r.Reconfigured(Config{Upstream: w, Clock: clock, Shared: true, Start: 50, Quotas: config.Quotas})
	r.Plan(nil, plain(r, grant), epoch)
	if got := r.Quotas(); got[0].Share != 100 || got[0].Reserved != 1500 {
		t.Errorf("Quotas() by other settings = %+v, want the share kept and 1500 reserved", got)
	}
	r.Share("a", model, "", Unleased)
	if got := r.Quotas(); got[0].Share != 50 {
		t.Errorf("Share when nothing is leased = %d, want what targets start with", got[0].Share)
	}
}
