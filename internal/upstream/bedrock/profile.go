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
	inference.ProfileListing
	until time.Time
}

func newProfiles() *profiles {
	known, _ := lru.New[profileKey, knownProfile](keptProfiles) // fails for sizes below one
	return &profiles{known: known}
}

func (ps *profiles) get(key profileKey) (inference.ProfileListing, bool) {
	k, ok := ps.known.Get(key)
	return k.ProfileListing, ok && time.Now().Before(k.until)
}

func (ps *profiles) keep(key profileKey, p inference.ProfileListing) {
	ps.known.Add(key, knownProfile{p, time.Now().Add(profileTTL)})
}

// Profile asks source's control plane for an inference profile by id or ARN, or
// else for a foundation model, which has no profile's ID. It reports false for what
// is neither there; the error, an *inference.Error, is that no answer could be had.
// Of several calls for one profile at once only one is made.
func (u *Upstream) Profile(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error) {
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
		p, err := u.describe(ctx, named, source)
		if err == nil {
			u.profiles.keep(key, p)
		}
		return p, err
	})
	select {
	case got := <-asked:
		ok, err := u.found(ctx, got.Err, source)
		return got.Val.(inference.ProfileListing), ok, err
	case <-ctx.Done():
		return inference.ProfileListing{}, false, located(lost(ctx, ctx.Err()), source)
	}
}

// found tells what is not there from an answer that is not. Where the account may
// not ask, which an operator may change, nothing is there to find.
func (u *Upstream) found(ctx context.Context, err error, source inference.Region) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case !isAbsent(err):
		return false, located(err, source)
	case inference.AsError(err).Kind == inference.AccessDenied:
		u.log.LogAttrs(ctx, slog.LevelWarn, "account may not look up inference profiles",
			slog.String("region", string(source)), slog.Any("error", err))
	}
	return false, nil
}

// isAbsent reports whether the control plane knows of nothing that it would show.
func isAbsent(err error) bool {
	switch inference.AsError(err).Kind {
	case inference.ResourceNotFound, inference.Validation, inference.AccessDenied:
		return true
	}
	return false
}

// describe is the profile of that name, or else the model.
func (u *Upstream) describe(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, error) {
	if isModelARN(named) {
		return u.getModel(ctx, named, source)
	}
	p, err := u.getProfile(ctx, named, source)
	if err == nil || !isAbsent(err) || !mayBeModel(named) {
		return p, err
	}
	m, errModel := u.getModel(ctx, named, source)
	if errModel == nil || !isAbsent(errModel) {
		return m, errModel
	}
	return p, err
}

func isModelARN(named string) bool {
	name, err := arn.Parse(named)
	return err == nil && strings.HasPrefix(name.Resource, "foundation-model/")
}

// mayBeModel tells a model's id, which has its provider before a dot, from that of
// an application profile and from the ARN of any.
func mayBeModel(named string) bool {
	return strings.Contains(named, ".") && !strings.HasPrefix(named, "arn:")
}

// getProfile is GetInferenceProfile.
func (u *Upstream) getProfile(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, error) {
	body, err := u.get(ctx, "/inference-profiles/", named, source)
	if err != nil {
		return inference.ProfileListing{}, err
	}
	return readProfile(body, source)
}

// getModel is GetFoundationModel.
func (u *Upstream) getModel(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, error) {
	body, err := u.get(ctx, "/foundation-models/", named, source)
	if err != nil {
		return inference.ProfileListing{}, err
	}
	return readModel(body, source)
}

// get is what source's control plane says at path of what is named.
func (u *Upstream) get(ctx context.Context, path, named string, source inference.Region) ([]byte, error) {
	base, err := u.control.at(source)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, under(base, path, named, "").String(), nil)
	if err != nil {
		return nil, err
	}
	return u.ask(request, nil, named, source)
}

// maxListing is the longest answer of the control plane that is read, in bytes.
const maxListing = 1 << 20

// ask sends a request with that body to the control plane, as the account that owns
// what it is about. It gives the body of a success.
func (u *Upstream) ask(request *http.Request, body []byte, about string, source inference.Region) ([]byte, error) {
	if err := u.sign(request, &inference.Request{Body: body}, u.accounts.owner(about), source); err != nil {
		return nil, err
	}
	response, err := u.roundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := whole(response, maxListing)
	if err != nil {
		return nil, lost(request.Context(), err)
	}
	return answer, nil
}

// notThere is a profile that cannot be called, in the service's kind.
func notThere(cause string) error {
	return &inference.Error{Kind: inference.ResourceNotFound, Op: "get inference profile", Message: cause}
}

// readProfile reads a GetInferenceProfileResponse. A global profile lists its
// model in its source region and once without a region.
func readProfile(body []byte, source inference.Region) (inference.ProfileListing, error) {
	var said struct {
		Name        string              `json:"inferenceProfileName"`
		Description string              `json:"description"`
		Created     time.Time           `json:"createdAt"`
		Updated     time.Time           `json:"updatedAt"`
		ARN         inference.ARN       `json:"inferenceProfileArn"`
		ID          inference.ProfileID `json:"inferenceProfileId"`
		Status      string              `json:"status"`
		Models      []struct {
			ARN string `json:"modelArn"`
		} `json:"models"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return inference.ProfileListing{}, lost(context.Background(), err)
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
		return inference.ProfileListing{}, notThere("the profile is not active or names no foundation model")
	}
	if len(p.Destinations) == 1 && !p.Global {
		p.CopiedFrom = string(p.Model)
	}
	return inference.ProfileListing{
		Profile: p, Name: said.Name, Description: said.Description, Created: said.Created, Updated: said.Updated,
	}, nil
}

// readModel reads a GetFoundationModelResponse. Whether the model can be called by
// its own id the region says when it is.
func readModel(body []byte, source inference.Region) (inference.ProfileListing, error) {
	var said struct {
		Details struct {
			ID   inference.ModelID `json:"modelId"`
			Name string            `json:"modelName"`
		} `json:"modelDetails"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return inference.ProfileListing{}, lost(context.Background(), err)
	}
	if said.Details.ID == "" {
		return inference.ProfileListing{}, notThere("the answer names no foundation model")
	}
	return inference.ProfileListing{Name: said.Details.Name, Profile: inference.Profile{
		Model: said.Details.ID, SourceRegion: source, Destinations: []inference.Region{source}, Remote: true,
	}}, nil
}
