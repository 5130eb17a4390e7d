package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fairway/internal/wire/sigv4"
)

// caller sends calls and checks what it is answered.
type caller struct {
	server *server
	client *http.Client
	seed   uint64
	onCut  string // header of every stream
	pool   map[sort][]*conversation
	wants  map[question]*answer // uncut, by what was asked
}

// question is a conversation with a model, whatever the door.
type question struct {
	model string
	*conversation
}

// longest is how long a call may take before it counts as unanswered. With a region
// that is up none should come near.
const longest = 2 * time.Minute

// outcome is what became of a call.
type outcome struct {
	number    uint64 // of the call in the run
	kind      *kind
	id        string // request id, empty where no answer came
	got       *answer
	continued int    // times another target went on, by the trailer
	exception string // that ended a stream as it may
	left      bool   // the caller left
	problem   error  // what should not be
}

// steer are headers that some calls have: whatever the policy, none is to be dropped.
func steer(r *rand.Rand, h http.Header) {
	policies := []string{"ordered", "latency", "weighted", "least-load", "cost", "round-robin", "adaptive"}
	if r.IntN(4) == 0 {
		h.Set("X-Fairway-Policy", policies[r.IntN(len(policies))])
	}
	if r.IntN(8) == 0 {
		h.Set("X-Fairway-Session", "session-"+strconv.Itoa(r.IntN(20)))
	}
}

// call makes the call of that number: which it is follows from the seed.
func (c *caller) call(ctx context.Context, number uint64) *outcome {
	r := rand.New(rand.NewPCG(c.seed, number))
	return c.make(ctx, number, order(menu, r), r)
}

// make makes a call of a kind; r decides the rest.
func (c *caller) make(ctx context.Context, number uint64, k *kind, r *rand.Rand) *outcome {
	said := c.pool[k.sort]
	asked := said[r.IntN(len(said))]
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	o := &outcome{number: number, kind: k}
	req, err := c.request(ctx, k, asked, r)
	if err != nil {
		o.problem = err
		return o
	}
	resp, err := c.client.Do(req)
	if err != nil {
		o.problem = fmt.Errorf("no answer: %w", err)
		return o
	}
	defer resp.Body.Close()
	o.id = requestID(resp.Header)
	switch {
	case o.id == "":
		o.problem = errors.New("the answer has no request id")
	case k.wrong != nil:
		o.problem = k.wrong.check(resp)
	case resp.StatusCode != http.StatusOK:
		text, _ := io.ReadAll(resp.Body)
		o.problem = fmt.Errorf("%s: %s", resp.Status, text)
	case k.leaves:
		_, o.problem = io.ReadFull(resp.Body, make([]byte, 1+r.IntN(2000)))
		o.left = true
	case k.streams:
		o.got, err = k.door.stream(resp.Body)
		o.problem = firstOf(err, func() error { return c.checkStream(o, resp, asked) })
	default:
		o.got, err = k.door.whole(resp.Body)
		o.problem = firstOf(err, func() error { return c.check(o, asked) })
	}
	return o
}

// firstOf is err, or else what check finds.
func firstOf(err error, check func() error) error {
	if err != nil {
		return fmt.Errorf("malformed answer: %w", err)
	}
	return check()
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Amzn-Requestid", "Request-Id", "X-Request-Id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// request is the call as it goes out: to Bedrock's doors one in four is signed, which
// says where it enters; the others have the bearer key, and the region in the path.
func (c *caller) request(ctx context.Context, k *kind, asked *conversation, r *rand.Rand) (*http.Request, error) {
	path, body, key := k.door.path(k.model, k.streams), k.door.body(asked, k.model, k.streams), bearerKey
	text := encode(body)
	if w := k.wrong; w != nil {
		if w.path != "" {
			path = w.path
		}
		if w.key != "" {
			key = w.key
		}
		if w.spoil != nil {
			text = w.spoil(body)
		}
	}
	source, signed := sources[r.IntN(len(sources))], k.door.signs && key == bearerKey && r.IntN(4) == 0
	if !signed {
		path = "/region/" + source + path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server.doors+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if k.streams {
		req.Header.Set("X-Fairway-On-Cut", c.onCut)
	}
	steer(r, req.Header)
	if signed {
		credentials := sigv4.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: c.server.keys[secretKey]}
		sigv4.Sign(req, text, credentials, source, "bedrock", time.Now())
	} else {
		req.Header.Set("Authorization", "Bearer "+c.server.keys[key])
	}
	return req, nil
}

// check holds the refusal of a wrong call against what it should be.
func (m *mistake) check(resp *http.Response) error {
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("refusal: %w", err)
	}
	if told := resp.Header.Get("X-Amzn-Errortype") + string(text); resp.StatusCode != m.status || !strings.Contains(told, m.says) {
		return fmt.Errorf("a call that is wrong (%s) is answered %s %s, want %d %s", m.name, resp.Status, told, m.status, m.says)
	}
	return nil
}

// check holds an answer against the uncut one.
func (c *caller) check(o *outcome, asked *conversation) error {
	want := c.want(o.kind, asked)
	if err := o.got.differs(want); err != nil {
		return fmt.Errorf("not the answer that a quiet server gives: %w", err)
	}
	if o.continued == 0 && (o.got.input != want.input || o.got.output != want.output) {
		return fmt.Errorf("usage is %d in, %d out, want %d and %d", o.got.input, o.got.output, want.input, want.output)
	}
	if o.got.input < want.input {
		return fmt.Errorf("usage of all legs is %d in, less than the %d of one", o.got.input, want.input)
	}
	return nil
}

// want is the uncut answer, as a call of the kind is to have it.
func (c *caller) want(k *kind, asked *conversation) *answer {
	want := c.wants[question{k.model, asked}]
	switch {
	case k.door == countDoor || k.door == countMessagesDoor:
		return &answer{input: want.input}
	case k.door.chats:
		return want.asChat()
	}
	return want
}

// checkStream holds a stream against the uncut answer, and its trailers against what
// it said. An exception may end the streams that cannot be gone on with, at the end
// of a proper beginning.
func (c *caller) checkStream(o *outcome, resp *http.Response, asked *conversation) error {
	if n := resp.Trailer.Get("X-Fairway-Continued"); n != "" {
		var err error
		if o.continued, err = strconv.Atoi(n); err != nil {
			return err
		}
	}
	if o.got.failed != "" {
		if o.kind.continues() {
			return fmt.Errorf("the stream ended with %s", o.got.failed)
		}
		if !o.got.begins(c.want(o.kind, asked)) {
			return fmt.Errorf("what came before %s is not how the answer begins", o.got.failed)
		}
		o.exception = o.got.failed
		return nil
	}
	for name, want := range map[string]string{
		"X-Fairway-Outcome":       "ok",
		"X-Fairway-Input-Tokens":  strconv.Itoa(o.got.input),
		"X-Fairway-Output-Tokens": strconv.Itoa(o.got.output),
	} {
		if got := resp.Trailer.Get(name); got != want {
			return fmt.Errorf("trailer %s is %q, want %q", name, got, want)
		}
	}
	return c.check(o, asked)
}

// learn asks each question once, through Converse, which becomes what all doors are
// held against: so many at a time.
func (c *caller) learn(ctx context.Context, callers int) ([]*outcome, error) {
	questions, calls := c.questions(), []*outcome{}
	var group errgroup.Group
	group.SetLimit(callers)
	var mu sync.Mutex
	c.wants = make(map[question]*answer, len(questions))
	for _, q := range questions {
		group.Go(func() error {
			o := &outcome{kind: &kind{name: "Converse, the first time", door: converseDoor, model: q.model}}
			err := c.ask(ctx, o, q)
			mu.Lock()
			defer mu.Unlock()
			c.wants[q], calls = o.got, append(calls, o)
			return err
		})
	}
	return calls, group.Wait()
}

// questions are all that the menu may ask.
func (c *caller) questions() (all []question) {
	seen := map[question]bool{}
	for i := range menu {
		for _, asked := range c.pool[menu[i].sort] {
			if q := (question{menu[i].model, asked}); !seen[q] {
				seen[q], all = true, append(all, q)
			}
		}
	}
	return all
}

// ask puts a question for the first time.
func (c *caller) ask(ctx context.Context, o *outcome, q question) error {
	req, err := c.request(ctx, o.kind, q.conversation, rand.New(rand.NewPCG(c.seed, 0)))
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	o.id = requestID(resp.Header)
	if o.got, err = readConversed(resp.Body); err != nil || resp.StatusCode != http.StatusOK || len(o.got.blocks) == 0 {
		return fmt.Errorf("on a quiet server: %s: request %s: %s, %v", o.kind.name, o.id, resp.Status, err)
	}
	return nil
}
