package bedrock

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/address"
)

// endpoints are where a service of each region is reached.
type endpoints struct {
	any endpoint
	own map[inference.Region]endpoint // of single regions, in place of any
}

func parseEndpoints(template string, own map[inference.Region]string, service string, bearer bool) (endpoints, error) {
	all := endpoints{own: map[inference.Region]endpoint{}}
	var failed error
	all.any, failed = parseEndpoint(template, service, bearer)
	for region, template := range own {
		e, err := parseEndpoint(template, service, bearer)
		all.own[region], failed = e, errors.Join(failed, err)
	}
	return all, failed
}

// at is the base URL in region.
func (e endpoints) at(region inference.Region) (*url.URL, error) {
	if own, ok := e.own[region]; ok {
		return own.at(region)
	}
	return e.any.at(region)
}

// endpoint is where a service of each region is reached: a base URL with anyRegion
// in place of the region.
type endpoint url.URL

// anyRegion stands for the region in a parsed URL, where "{region}" cannot.
const anyRegion = "any-region"

// parseEndpoint reads a URL in which "{region}" stands for the region; an empty one
// is AWS's own for the service. A bearer key is a password: it leaves this machine
// only encrypted.
func parseEndpoint(template, service string, bearer bool) (endpoint, error) {
	template = cmp.Or(template, "https://"+service+".{region}.amazonaws.com")
	u, err := url.Parse(strings.TrimSuffix(strings.ReplaceAll(template, "{region}", anyRegion), "/"))
	switch {
	case err != nil:
		return endpoint{}, fmt.Errorf("read endpoint: %w", err)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return endpoint{}, fmt.Errorf("read endpoint: %q is no http or https URL", template)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return endpoint{}, errors.New("read endpoint: the URL has a query, a fragment or a user: leave them out")
	case bearer && u.Scheme == "http" && !address.IsLoopback(u.Hostname()):
		return endpoint{}, errors.New("read endpoint: a bearer key over http could be read on the way: use https")
	}
	return endpoint(*u), nil
}

// at is the base URL in region. The error is a region that cannot be part of a
// host name.
func (e endpoint) at(region inference.Region) (*url.URL, error) {
	if strings.Trim(string(region), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || region == "" {
		return nil, fmt.Errorf("find endpoint: %q is no region", region)
	}
	u := url.URL(e)
	for _, part := range []*string{&u.Host, &u.Path, &u.RawPath} {
		*part = strings.ReplaceAll(*part, anyRegion, string(region))
	}
	return &u, nil
}
