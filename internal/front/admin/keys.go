package admin

import (
	"math"
	"net/http"
	"time"

	"fairway/internal/keyring"
)

func (d *Door) listKeys(r *http.Request) (any, error) {
	all, err := d.Keys.List(r.Context())
	return map[string][]keyring.Key{"keys": all}, err
}

// createKey answers POST /api/keys. ExpiresIn is in seconds: null is what the server
// gives, 0 is never.
func (d *Door) createKey(r *http.Request) (any, error) {
	var in struct {
		Kind      keyring.Kind `json:"kind"`
		Name      string       `json:"name"`
		Principal string       `json:"principal"`
		Budget    string       `json:"budget"`
		ExpiresIn *int64       `json:"expires_in"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	made, err := d.Keys.Create(r.Context(), keyring.Order{
		Kind: in.Kind, Name: in.Name, Principal: in.Principal, Budget: in.Budget, Life: duration(in.ExpiresIn),
	})
	return made, err
}

// rotateKey answers POST /api/keys/{name}/rotate: a new key in the place of one that
// goes on being good for Overlap seconds. For null the server decides.
func (d *Door) rotateKey(r *http.Request) (any, error) {
	var in struct {
		ExpiresIn *int64 `json:"expires_in"`
		Overlap   *int64 `json:"overlap"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	made, err := d.Keys.Rotate(r.Context(), r.PathValue("name"), duration(in.ExpiresIn), duration(in.Overlap))
	return made, err
}

func (d *Door) expireKey(r *http.Request) (any, error) {
	return struct{}{}, d.Keys.Expire(r.Context(), r.PathValue("name"))
}

func (d *Door) deleteKey(r *http.Request) (any, error) {
	return struct{}{}, d.Keys.Delete(r.Context(), r.PathValue("name"))
}

// duration is a number of seconds; one that no duration holds is the longest, or one
// below zero.
func duration(seconds *int64) *time.Duration {
	if seconds == nil {
		return nil
	}
	return new(time.Duration(min(max(*seconds, -1), math.MaxInt64/int64(time.Second))) * time.Second)
}
