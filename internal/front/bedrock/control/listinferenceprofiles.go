package control

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// pageSize is how many profiles a page has at most, and where nothing is asked.
const pageSize = 1000

// listInferenceProfiles is GET /inference-profiles: those that can be called from
// the region, by id. Without a type the system-defined ones.
func (f *Front) listInferenceProfiles(c *call) (any, error) {
	size, after, err := page(c)
	if err != nil {
		return nil, err
	}
	if err := f.permit(c, "bedrock:ListInferenceProfiles", "*"); err != nil {
		return nil, err
	}
	all, err := f.profilesOf(c)
	if err != nil {
		return nil, err
	}
	if !mayBegin(c, all, after) {
		return nil, refuse(msgBadToken)
	}
	slices.SortFunc(all, func(a, b inference.ProfileListing) int { return cmp.Compare(a.ID, b.ID) })
	first := len(all)
	if at := slices.IndexFunc(all, func(p inference.ProfileListing) bool { return string(p.ID) > after }); at >= 0 {
		first = at
	}
	var answer struct {
		Summaries []profileJSON `json:"inferenceProfileSummaries"`
		NextToken string        `json:"nextToken,omitempty"`
	}
	last := min(first+size, len(all))
	answer.Summaries = make([]profileJSON, 0, last-first)
	for _, p := range all[first:last] {
		answer.Summaries = append(answer.Summaries, encodeProfile(p))
	}
	if last < len(all) {
		answer.NextToken = base64.RawURLEncoding.EncodeToString([]byte(all[last-1].ID))
	}
	return answer, nil
}

// profilesOf is all profiles of the type that was asked for.
func (f *Front) profilesOf(c *call) ([]inference.ProfileListing, error) {
	if c.query.Get("type") != application {
		return f.Catalog.ListProfiles(c.region), nil
	}
	applications, err := f.Applications.Applications(c.ctx, f.Account, c.region)
	if err != nil {
		return nil, err
	}
	all := make([]inference.ProfileListing, len(applications))
	for i, a := range applications {
		all[i] = f.describe(a)
	}
	return all, nil
}

// page is how many profiles to answer with, and the id after which they begin.
func page(c *call) (size int, after string, err error) {
	var wrong findings
	wrong.enum("typeEquals", c.query.Get("type"), systemDefined, application)
	size = pageSize
	if asked := c.query.Get("maxResults"); asked != "" {
		n, err := strconv.Atoi(asked)
		switch {
		case err != nil || strings.HasPrefix(asked, "+"):
			return 0, "", refuse("maxResults must be a whole number")
		case n < 1:
			wrong.add(asked, "maxResults", "Member must have value greater than or equal to 1")
		case n > pageSize:
			wrong.add(asked, "maxResults", "Member must have value less than or equal to "+strconv.Itoa(pageSize))
		}
		size = n
	}
	token := c.query.Get("nextToken")
	if c.query.Has("nextToken") {
		wrong.text("nextToken", &token, true, pageToken)
	}
	if err := wrong.err(); err != nil {
		return 0, "", err
	}
	id, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, "", refuse(msgBadToken)
	}
	return size, string(id), nil
}

// mayBegin reports whether a page of all can come after an id: an application
// profile may have been deleted since.
func mayBegin(c *call, all []inference.ProfileListing, after string) bool {
	if c.query.Get("type") == application && inference.IsApplicationID(after) {
		return true
	}
	return after == "" || slices.ContainsFunc(all, func(p inference.ProfileListing) bool { return string(p.ID) == after })
}

const msgBadToken = "The provided nextToken is invalid."
