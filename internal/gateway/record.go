package gateway

import (
	"cmp"
	"strconv"

	"fairway/internal/inference"
)

// open begins the call's record.
func (g *Gateway) open(req *inference.Request) *inference.Record {
	r := &inference.Record{
		ID:           req.ID,
		Time:         g.Clock(),
		Operation:    req.Operation,
		Principal:    req.Principal.Name,
		Door:         req.Door,
		Caller:       req.Caller.Name,
		UserID:       req.Caller.ID,
		Key:          req.Caller.Key,
		Model:        inference.ModelID(req.Model),
		SourceRegion: req.SourceRegion,
		Attempts:     []inference.Attempt{},
	}
	if g.Team != nil {
		r.Team = g.Team(r.Principal, req.Caller)
	}
	return r
}

// name records what the caller's model turned out to be.
func name(record *inference.Record, profile inference.Profile) {
	record.Model, record.CopiedFrom = profile.Model, profile.CopiedFrom
	if profile.ID != "" {
		id := string(profile.ID)
		record.Profile = &id
	}
}

// tell records what has become of the attempts so far: complete once the answer is
// closed.
func (c *call) tell() {
	r, a := c.record, c.answer
	r.Attempts, r.Continued = a.Attempts(), a.Continued()
	r.Wasted, r.Estimated = a.Wasted()
	if a.Stream == nil {
		return
	}
	place(r, c.ending())
	r.Simulated = r.Simulated || c.simulated
	if a.Profile != &c.routing.Grant.Profile {
		r.Fallback, r.FallbackModel = cmp.Or(a.Profile.CopiedFrom, a.Profile.Named()), a.Profile.Model
	}
}

// ending is the target that the end of the answer comes from, as far as it has come.
func (c *call) ending() inference.Target {
	if c.answer.Continued() > 0 {
		last, _ := c.record.Answering()
		for _, choice := range c.plan {
			if t := choice.Target; t.Region == last.Region && t.Model == last.Model && t.Account == last.Account {
				return *t
			}
		}
	}
	return c.answer.Target
}

// place records where the answer comes from, or the end of one that was gone on with.
// A run set of several regions leaves the destination unknown: no response of the
// service says where the model ran.
func place(record *inference.Record, t inference.Target) {
	record.Simulated, record.Destination, record.DestinationRegion = t.Simulated, "", ""
	switch {
	case !t.Pinned():
		record.Destination = "unknown (one of " + strconv.Itoa(len(t.RunSet)) + ")"
	case t.RunSet != nil:
		record.DestinationRegion = t.RunSet[0]
	default:
		record.DestinationRegion = t.Region
	}
}
