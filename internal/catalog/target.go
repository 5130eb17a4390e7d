package catalog

import (
	"cmp"
	"slices"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Targets is what there is to call of real regions, as route asks for it: a region
// is entered with the model's own id where that can be called on demand, which pins
// the call, and else with the profile, which runs wherever that may run from there.
// The zero Targets calls with the default account.
type Targets struct {
	Accounts []Account // each makes a target of its own
}

// Account is an AWS account that calls may be made in.
type Account struct {
	ID      string             // as targets name it
	Regions []inference.Region // where it may call; empty is everywhere
}

// Enter is the target of the i-th account that enters in region. There is none
// where neither the model nor the profile can be called, nor for a profile that
// belongs to another region's control plane. A regional resource is called in the
// account that it belongs to.
func (ts Targets) Enter(p *inference.Profile, region inference.Region, i int) (inference.Target, bool) {
	if p.IsRegional() {
		name := p.In(region)
		return inference.Target{Region: region, Model: string(name), Account: ts.owner(name)}, i == 0 && name != ""
	}
	account, ok := ts.account(region, i)
	if !ok || p.Remote && p.ID != "" {
		return inference.Target{}, false
	}
	if p.Remote { // a model that is too new for the facts
		return inference.Target{Region: region, Model: string(p.Model), Account: account}, region == p.SourceRegion
	}
	if _, ok := embedded().models[p.Model].onDemand[region]; ok {
		return inference.Target{Region: region, Model: string(p.Model), Account: account}, true
	}
	return through(p, region, account)
}

// Own is the target of the i-th account that calls the profile from its source
// region: of one that only AWS knows the account it belongs to, under its ARN.
func (ts Targets) Own(p *inference.Profile, i int) (inference.Target, bool) {
	if p.Remote && p.ID != "" {
		return inference.Target{
			Region: p.SourceRegion, Model: string(p.ARN), Account: ts.owner(p.ARN),
			RunSet: p.Destinations, OpenEnded: p.Global,
		}, i == 0
	}
	account, ok := ts.account(p.SourceRegion, i)
	if !ok {
		return inference.Target{}, false
	}
	return through(p, p.SourceRegion, account)
}

// through calls a system-defined profile in region; false where that is none of
// its sources, and for a bare model.
func through(p *inference.Profile, region inference.Region, account string) (inference.Target, bool) {
	id := cmp.Or(p.CopiedFrom, string(p.ID))
	system := embedded().profiles[inference.ProfileID(id)]
	destinations, ok := system.destinations[region]
	return inference.Target{
		Region: region, Model: id, Account: account,
		RunSet: destinations, OpenEnded: system.global,
	}, ok
}

// account is the i-th that may call in region.
func (ts Targets) account(region inference.Region, i int) (string, bool) {
	if len(ts.Accounts) == 0 {
		return "", i == 0
	}
	for _, a := range ts.Accounts {
		if len(a.Regions) > 0 && !slices.Contains(a.Regions, region) {
			continue
		}
		if i == 0 {
			return a.ID, true
		}
		i--
	}
	return "", false
}

// owner is the account of an ARN, the default one where it is not among
// these.
func (ts Targets) owner(of inference.ARN) string {
	name, err := arn.Parse(string(of))
	if err != nil || !slices.ContainsFunc(ts.Accounts, func(a Account) bool { return a.ID == name.Account }) {
		return ""
	}
	return name.Account
}
