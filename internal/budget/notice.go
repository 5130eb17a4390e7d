package budget

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fairway/internal/inference"
)

// notice is what an operator is told of a slot, once as it passes its soft threshold and
// once as it refuses a call. Its JSON is what a webhook is posted; amounts are decimal
// text, of dollars or counts, as reports have them.
type notice struct {
	Budget     string            `json:"budget"`
	Pot        string            `json:"pot,omitempty"`
	Measure    inference.Measure `json:"measure"`
	Limit      string            `json:"limit"`
	Spent      string            `json:"spent"`
	Percent    int               `json:"percent"`
	WindowEnds time.Time         `json:"window_ends,omitzero"`
	Hard       bool              `json:"hard"`

	webhook string
}

// queued is how many notices wait to be told, and how many to be posted.
const queued = 256

// watch tells of a cell that passes the soft threshold: by what was spent, as what calls
// reserve is mostly more than they use; of streams by those that run.
func (b *Book) watch(c *cell) {
	spent := c.others + c.spent
	if c.slot.Measure == inference.Streams {
		spent = c.known()
	}
	if share := inference.Percent(spent, c.limit); !c.warned && c.of.Soft > 0 && share >= c.of.Soft {
		c.warned = true
		b.notify(c, spent, share, false)
	}
}

// stop tells of a cell that refuses a call, unless that is the call's own fault, or
// nobody knows what is left.
func (b *Book) stop(c *cell, refused error) {
	if e, ok := errors.AsType[*Exceeded](refused); !ok || e.Never() || c.stopped {
		return
	}
	c.stopped = true
	b.notify(c, c.known(), inference.Percent(c.known(), c.limit), true)
}

// notify queues a notice, and counts one that finds no room.
func (b *Book) notify(c *cell, spent int64, share int, hard bool) {
	m := c.slot.Measure
	select {
	case b.notices <- notice{
		Budget: c.slot.Budget, Pot: c.slot.Pot, Measure: m, Limit: string(amount(m, c.limit)), Spent: string(amount(m, spent)),
		Percent: share, WindowEnds: c.ends, Hard: hard, webhook: c.of.Webhook,
	}:
	default:
		b.lost++
	}
}

// tell logs notices, and hands on those that have a webhook, until ctx ends.
func (b *Book) tell(ctx context.Context, posts chan<- notice) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-b.notices:
			b.log.LogAttrs(ctx, slog.LevelWarn, n.phrase(), n.attributes()...)
			if n.webhook == "" {
				continue
			}
			select {
			case posts <- n:
			default:
				b.log.LogAttrs(ctx, slog.LevelWarn, "webhook of a budget left out, too many wait", slog.String("budget", n.Budget))
			}
		}
	}
}

func (n *notice) phrase() string {
	if n.Hard {
		return "budget refuses calls"
	}
	return "budget near its limit"
}

func (n *notice) attributes() []slog.Attr {
	attributes := []slog.Attr{
		slog.String("budget", n.Budget), slog.String("pot", n.Pot), slog.String("measure", string(n.Measure)),
		slog.String("limit", n.Limit), slog.String("spent", n.Spent), slog.Int("percent", n.Percent),
	}
	if !n.WindowEnds.IsZero() {
		attributes = append(attributes, slog.Time("window_ends", n.WindowEnds))
	}
	return attributes
}
