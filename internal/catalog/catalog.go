// Package catalog knows what exists on Bedrock: foundation models, inference
// profiles with the destinations of each source region, and prices. The facts
// are files under data/ that are built into the program; each keeps the sources,
// dates and marks of what it says, and nothing here is newer than they are.
package catalog

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Options configures a Catalog. The zero value is usable.
type Options struct {
	Account      string       // twelve digits, in the ARNs of profiles; DefaultAccount when empty
	Applications Applications // nil knows none
	Remote       Remote       // nil where regions are not real: then nobody is asked, and there are no regional resources
	Equivalents  Equivalents
	Prices       *Prices // over the built-in ones; nil is none
}

// Remote is the control plane of real regions, for what is not known here. Its
// methods report false for what is not known there either. It is safe for
// concurrent use.
type Remote interface {
	// Profile is an inference profile, by its id or ARN, or else a foundation model
	// by either: then there is no profile's ID. It keeps what it found.
	Profile(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error)

	// Tags are the tags of an application profile.
	Tags(ctx context.Context, profile inference.ARN, source inference.Region) (map[string]string, bool, error)
}

// DefaultAccount is the account of a server that was not given one.
const DefaultAccount = "123456789012"

// Catalog answers questions about models and profiles for one account. It is
// safe for concurrent use, and so are the slices it hands out as long as nobody
// modifies them.
type Catalog struct {
	account      string
	applications Applications
	remote       Remote
	equivalents  Equivalents
	prices       atomic.Pointer[Prices] // in force; nil are the built-in ones
}

// New makes a Catalog. The embedded facts are read at the first question.
func New(opts Options) *Catalog {
	if opts.Account == "" {
		opts.Account = DefaultAccount
	}
	c := &Catalog{account: opts.Account, applications: opts.Applications, remote: opts.Remote, equivalents: opts.Equivalents}
	if opts.Prices != nil {
		c.SetPrices(opts.Prices)
	}
	return c
}

// Lookup resolves what a caller named, as called in source: the id or ARN of a
// model, of a system-defined profile or of an application profile, or the ARN of a
// regional resource. Retired models resolve as they last did. What is not known
// here is asked of the Remote.
//
// An error is of kind Validation with the service's text: a model that only a
// profile reaches from source asks for the profile, and all else that cannot be
// called there is an invalid identifier. Or it is what Applications or the Remote
// failed with.
func (c *Catalog) Lookup(ctx context.Context, named string, source inference.Region) (inference.Profile, error) {
	profile, unknown := c.known(named, source)
	if unknown == nil {
		return profile, nil
	}
	for _, find := range []finder{c.application, c.resource, c.ask} {
		if profile, ok, err := find(ctx, named, source); ok || err != nil {
			return profile, err
		}
	}
	return inference.Profile{}, unknown
}

// finder looks in one place, and reports false for what is not there.
type finder func(ctx context.Context, named string, source inference.Region) (inference.Profile, bool, error)

// known resolves what the embedded facts tell of. Errors are Lookup's of kind
// Validation.
func (c *Catalog) known(named string, source inference.Region) (inference.Profile, error) {
	facts := embedded()
	id, ok := c.identifier(named, source)
	if !ok {
		return inference.Profile{}, invalidIdentifier(source)
	}
	if p, ok := facts.profiles[inference.ProfileID(id)]; ok {
		if destinations, ok := p.destinations[source]; ok {
			return inference.Profile{
				ID:           p.id,
				ARN:          inference.ProfileARN(source, c.account, p.id),
				Model:        p.model,
				SourceRegion: source,
				Destinations: destinations,
				Global:       p.global,
			}, nil
		}
	}
	if m, ok := facts.models[inference.ModelID(id)]; ok {
		if destination, ok := m.onDemand[source]; ok {
			return inference.Profile{Model: m.ID, SourceRegion: source, Destinations: destination}, nil
		}
		if m.profileOnly[source] {
			return inference.Profile{}, needsProfile(named, source)
		}
	}
	return inference.Profile{}, invalidIdentifier(source)
}

// identifier is the bare id of what was named. An ARN must be the very one that
// the model or profile has in source, and of its own kind.
func (c *Catalog) identifier(named string, source inference.Region) (string, bool) {
	name, err := arn.Parse(named)
	if err != nil {
		return named, true // an id; the maps tell whether it is one
	}
	kind, id, _ := strings.Cut(name.Resource, "/")
	switch kind {
	case "foundation-model":
		_, exists := embedded().models[inference.ModelID(id)]
		return id, exists && named == string(inference.ModelARN(source, inference.ModelID(id)))
	case "inference-profile":
		_, exists := embedded().profiles[inference.ProfileID(id)]
		return id, exists && named == string(inference.ProfileARN(source, c.account, inference.ProfileID(id)))
	default:
		return "", false
	}
}

// Model is what is known of a foundation model, by its bare id.
func (c *Catalog) Model(id inference.ModelID) (inference.Model, bool) {
	m, ok := embedded().models[id]
	if !ok {
		return inference.Model{}, false
	}
	return m.Model, true
}

// Models is every foundation model, in the order of the data file.
func (c *Catalog) Models() []inference.Model {
	facts := embedded()
	models := make([]inference.Model, len(facts.modelOrder))
	for i, id := range facts.modelOrder {
		models[i] = facts.models[id].Model
	}
	return models
}

// Profiles is every system-defined profile that can be called from source, in
// the order of the data file.
func (c *Catalog) Profiles(source inference.Region) []inference.Profile {
	facts := embedded()
	var profiles []inference.Profile
	for _, id := range facts.profileOrder {
		if p, err := c.known(string(id), source); err == nil {
			profiles = append(profiles, p)
		}
	}
	return profiles
}

// ErrUnknown is the cause of Lookup's error for what nothing is named in source, apart
// from that for a model which asks for a profile.
var ErrUnknown = errors.New("nothing of that name can be called there")

func invalidIdentifier(source inference.Region) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "look up model", Region: source,
		Message: "The provided model identifier is invalid.", Err: ErrUnknown,
	}
}

// needsProfile is the service's text to the letter; its apostrophe is U+2019.
func needsProfile(named string, source inference.Region) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "look up model", Region: source,
		Message: "Invocation of model ID " + named + " with on-demand throughput isn\u2019t supported. " +
			"Retry your request with the ID or ARN of an inference profile that contains this model.",
	}
}
