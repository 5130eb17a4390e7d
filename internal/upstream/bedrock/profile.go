package bedrock

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// What the control plane said is believed for a while. A profile never changes
// where it runs, but it can be deleted.
const (
	profileTTL     = 15 * time.Minute
	keptProfiles   = 4096
	profileTimeout = 5 * time.Second
)

// profiles are the answers of the control plane: what it knows, never what it does
// not.
type profiles struct {
	known  *lru.Cache[profileKey, knownProfile]
	asking singleflight.Group
}

type profileKey struct {
	named  string
	source inference.Region
}

type knownProfile struct {
	profile inference.Profile
	until   time.Time
}

func newProfiles() *profiles {
	known, _ := lru.New[profileKey, knownProfile](keptProfiles) // fails for sizes below one
	return &profiles{known: known}
}

func (ps *profiles) get(key profileKey) (inference.Profile, bool) {
	k, ok := ps.known.Get(key)
	return k.profile, ok && time.Now().Before(k.until)
}

func (ps *profiles) keep(key profileKey, p inference.Profile) {
	ps.known.Add(key, knownProfile{p, time.Now().Add(profileTTL)})
}

// Profile asks source's control plane for an inference profile by id or ARN. It
// reports false for what is none there; the error, an *inference.Error, is that no
// answer could be had. Of several calls for one profile at once only one is made.
func (u *Upstream) Profile(ctx context.Context, named string, source inference.Region) (inference.Profile, bool, error) {
	key := profileKey{named, source}
	if p, ok := u.profiles.get(key); ok {
		return p, true, nil
	}
	asked := u.profiles.asking.DoChan(string(source)+" "+named, func() (any, error) {
		if p, ok := u.profiles.get(key); ok { // kept since we looked
			return p, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), profileTimeout)
		defer cancel()
		p, err := u.getProfile(ctx, named, source)
		if err == nil {
			u.profiles.keep(key, p)
		}
		return p, err
	})
	select {
	case got := <-asked:
		return u.found(ctx, got.Val.(inference.Profile), got.Err, source)
	case <-ctx.Done():
		return inference.Profile{}, false, located(lost(ctx, ctx.Err()), source)
	}
}

// found tells a profile that is not there from an answer that is not. Where the
// account may not ask, which an operator may change, nothing is there to find.
func (u *Upstream) found(ctx context.Context, p inference.Profile, err error, source inference.Region) (inference.Profile, bool, error) {
	if err == nil {
		return p, true, nil
	}
	switch inference.AsError(err).Kind {
	case inference.ResourceNotFound, inference.Validation:
		return inference.Profile{}, false, nil
	case inference.AccessDenied:
		u.log.LogAttrs(ctx, slog.LevelWarn, "account may not look up inference profiles",
			slog.String("region", string(source)), slog.Any("error", err))
		return inference.Profile{}, false, nil
	}
	return inference.Profile{}, false, located(err, source)
}

// getProfile is GetInferenceProfile.
func (u *Upstream) getProfile(ctx context.Context, named string, source inference.Region) (inference.Profile, error) {
	base, err := u.control.at(source)
	if err != nil {
		return inference.Profile{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, under(base, "/inference-profiles/", named, "").String(), nil)
	if err != nil {
		return inference.Profile{}, err
	}
	if err := u.sign(request, nil, u.accounts.owner(named), source); err != nil {
		return inference.Profile{}, err
	}
	response, err := u.roundTrip(request)
	if err != nil {
		return inference.Profile{}, err
	}
	defer response.Body.Close()
	body, err := whole(response, maxErrorBody)
	if err != nil {
		return inference.Profile{}, lost(ctx, err)
	}
	return readProfile(body, source)
}

// notThere is a profile that cannot be called, in the service's kind.
func notThere(cause string) error {
	return &inference.Error{Kind: inference.ResourceNotFound, Op: "get inference profile", Message: cause}
}

// readProfile reads a GetInferenceProfileResponse. A global profile lists its
// model in its source region and once without a region.
func readProfile(body []byte, source inference.Region) (inference.Profile, error) {
	var said struct {
		ARN    inference.ARN       `json:"inferenceProfileArn"`
		ID     inference.ProfileID `json:"inferenceProfileId"`
		Status string              `json:"status"`
		Models []struct {
			ARN string `json:"modelArn"`
		} `json:"models"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return inference.Profile{}, lost(context.Background(), err)
	}
	p := inference.Profile{ID: said.ID, ARN: said.ARN, SourceRegion: source, Remote: true}
	for _, m := range said.Models {
		name, err := arn.Parse(m.ARN)
		kind, id, _ := strings.Cut(name.Resource, "/")
		if err != nil || kind != "foundation-model" || id == "" {
			continue
		}
		p.Model = inference.ModelID(id)
		if name.Region == "" {
			p.Global = true
		} else if region := inference.Region(name.Region); !slices.Contains(p.Destinations, region) {
			p.Destinations = append(p.Destinations, region)
		}
	}
	if said.Status != "ACTIVE" || p.ID == "" || p.ARN == "" || len(p.Destinations) == 0 {
		return inference.Profile{}, notThere("the profile is not active or names no foundation model")
	}
	if len(p.Destinations) == 1 && !p.Global {
		p.CopiedFrom = string(p.Model)
	}
	return p, nil
}
