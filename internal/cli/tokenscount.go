package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"fairway/internal/capacity"
	"fairway/internal/inference"
	"fairway/internal/outputs"
)

// quote quotes each of the models that were chosen, by their own count where that was
// asked for.
func (f *tokensFlags) quote(ctx context.Context, s Surroundings, desk *capacity.Desk, prompt *capacity.Prompt, chosen []inference.Profile) (quotes []capacity.Quote, err error) {
	var counter *counter
	if f.count {
		if counter, err = newCounter(prompt); err != nil {
			return nil, err
		}
		defer progress(s, "counting")()
	}
	for _, p := range chosen {
		asked, by := f.asked, counted{}
		if m, ok := desk.Catalog.Model(p.Model); counter != nil && ok && m.CountTokens {
			by = counter.count(ctx, p)
			asked.Counted = by.tokens
		}
		q := desk.Quote(prompt, p, asked)
		q.Uncounted = by.why
		quotes = append(quotes, q)
	}
	if counter != nil && len(counter.known) == 0 {
		fmt.Fprintln(s.Stderr, "fairway: tokens: none of these models has CountTokens: all are estimated")
	}
	return quotes, nil
}

// counter has a prompt counted by the CountTokens of the running server of this folder,
// once for each model.
type counter struct {
	outputs.Fairway
	body  []byte
	known map[inference.ModelID]counted
}

// counted is what a model's CountTokens said: a number of tokens, or why there is none.
type counted struct {
	tokens int
	why    string
}

// countWithin is how long one model may take.
const countWithin = 10 * time.Second

// newCounter is the server's whose outputs are here.
func newCounter(p *capacity.Prompt) (*counter, error) {
	out, err := outputs.Read(".")
	if err != nil {
		return nil, fmt.Errorf("--count asks the server of this folder: %w: start fairway dev in it", err)
	}
	if out.BearerKey == "" {
		return nil, errors.New("--count needs a bearer_key in " + outputs.FairwayFile + ": write it anew with fairway dev")
	}
	if out.Endpoint, err = serverURL(out.Endpoint); err != nil {
		return nil, err
	}
	body, err := p.Counting()
	if err != nil {
		return nil, fmt.Errorf("--count: %s", inference.AsError(err).Message)
	}
	return &counter{Fairway: out, body: body, known: map[inference.ModelID]counted{}}, nil
}

// count counts for a model as it is called.
func (c *counter) count(ctx context.Context, called inference.Profile) counted {
	n, ok := c.known[called.Model]
	if !ok {
		n = c.ask(ctx, called)
		c.known[called.Model] = n
	}
	return n
}

func (c *counter) ask(ctx context.Context, called inference.Profile) counted {
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	address := c.Endpoint + "/region/" + string(called.SourceRegion) + "/model/" + url.PathEscape(called.Named()) + "/count-tokens"
	answer, err := roundTrip(ctx, http.MethodPost, address, c.body, func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+c.BearerKey)
		return nil
	})
	switch {
	case err != nil:
		return counted{why: err.Error()}
	case answer.status != http.StatusOK:
		return counted{why: messageOf(answer)}
	case answer.header.Get("X-Fairway-Simulated") != "":
		return counted{why: "the regions of the server are simulated, and its counts with them"}
	}
	n, err := capacity.ReadCount(answer.body)
	if err != nil {
		return counted{why: err.Error()}
	}
	return counted{tokens: n}
}

// messageOf is what an answer that is no success says.
func messageOf(answer *reply) string {
	var said struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(answer.body, &said) // without a message the status has to do
	return cmp.Or(said.Message, fmt.Sprintf("HTTP %d", answer.status))
}
