package capacity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/catalog"
	"fairway/internal/inference"
)

// Plan is what calls of one profile at a peak take, and what bears them.
type Plan struct {
	Named  string           `json:"model"`
	Source inference.Region `json:"source_region"`
	Demand Demand           `json:"demand"`

	Quota    int           `json:"quota_tokens_per_minute,omitempty"` // of each region and account, 0 where nobody knows
	Basis    Basis         `json:"quota_basis"`
	Quotas   []RegionQuota `json:"quotas"`             // of every region that calls may enter, the source first
	Regions  int           `json:"regions,omitempty"`  // of them that are needed, 0 where no number will do
	Accounts int           `json:"accounts,omitempty"` // in each

	Alone       *Trial    `json:"alone,omitempty"`       // the source region by itself, in one account
	Recommended *Trial    `json:"recommended,omitempty"` // as many as needed
	Advice      [2]string `json:"advice"`
}

// Basis is how a quota is known.
type Basis string

// The bases.
const (
	Given   Basis = "given"   // as the caller said
	Default Basis = "default" // that of accounts which nobody changed
	Unknown Basis = "unknown"
)

// RegionQuota is a quota as Service Quotas lists it in one region.
type RegionQuota struct {
	Region inference.Region `json:"region"`
	Called string           `json:"called"` // the profile or model that calls are made to there
	Name   string           `json:"name"`
	Needed int              `json:"needed_tokens_per_minute,omitempty"` // in each account, 0 for a region that is not needed
}

// Plan finds how many regions and accounts bear the load. quota is what each grants in a
// minute, 0 where the caller does not know. Errors are that of ctx, and those of a load
// that cannot be simulated.
func (d *Desk) Plan(ctx context.Context, called inference.Profile, q *Quote, load Load, quota int) (*Plan, error) {
	m, _ := d.Catalog.Model(called.Model)
	p := &Plan{
		Named: q.Named, Source: q.Source, Quota: quota, Basis: Given,
		Demand: demand(q, max(1, m.OutputBurndown), load),
		Quotas: quotas(&called, cmp.Or(m.Name, string(m.ID))),
	}
	if len(p.Quotas) == 0 {
		return nil, fmt.Errorf("no region can be entered for %s: name a profile of a foundation model", p.Named)
	}
	if quota == 0 {
		p.Quota, p.Basis = KnownQuota(&called), Default
	}
	if p.Quota == 0 {
		p.Basis = Unknown
	}
	p.spread()
	p.advise(q)
	return p, p.try(ctx, q)
}

// quotas are those of the regions that calls of a profile may enter, the source first and
// then in catalog order.
func quotas(called *inference.Profile, model string) []RegionQuota {
	regions := append([]inference.Region{called.SourceRegion}, called.Destinations...)
	var all []RegionQuota
	for i, region := range regions {
		target, ok := catalog.Targets{}.Enter(called, region, 0)
		if !ok || slices.Contains(regions[:i], region) {
			continue
		}
		all = append(all, RegionQuota{Region: region, Called: target.Model, Name: quotaName(target, called, model)})
	}
	return all
}

// quotaName is the quota's name (facts bedrock.md 2.2): one for a model by its own id, one
// for profiles of a geography, one for global ones.
func quotaName(t inference.Target, called *inference.Profile, model string) string {
	switch {
	case t.Model == string(called.Model):
		return "On-demand InvokeModel tokens per minute for " + model
	case called.Global:
		return "Global cross-region model inference tokens per minute for " + model
	}
	return "Cross-Region InvokeModel tokens per minute for " + model
}

// spread finds the fewest regions that bear the load, and accounts where all of them do not.
func (p *Plan) spread() {
	targets := 1
	if p.Quota > 0 {
		var ok bool
		if targets, ok = p.Demand.targets(p.Quota); !ok {
			return
		}
		p.Accounts = (targets + len(p.Quotas) - 1) / max(1, len(p.Quotas))
		p.Regions = (targets + p.Accounts - 1) / p.Accounts
	}
	needed := p.Demand.needs(max(1, p.Regions*p.Accounts))
	for i := range p.Quotas[:max(1, p.Regions)] {
		p.Quotas[i].Needed = needed
	}
}

// entered are the regions that the plan needs.
func (p *Plan) entered() []inference.Region {
	var names []inference.Region
	for _, q := range p.Quotas[:p.Regions] {
		names = append(names, q.Region)
	}
	return names
}

// advise says in two lines what to do: where to go, and what makes the most difference.
func (p *Plan) advise(q *Quote) {
	d := &p.Demand
	switch {
	case p.Quota == 0:
		p.Advice[0] = fmt.Sprintf("ask Service Quotas of %s for %q: the peak needs %s tokens a minute, in one region or shared by several",
			p.Source, p.Quotas[0].Name, grouped(d.Needed))
	case p.Regions == 0:
		p.Advice[0] = fmt.Sprintf("raise the quota: a call reserves %s tokens when it begins, and %s a minute do not let one in",
			grouped(d.Reserved), grouped(p.Quota))
	case p.Regions == 1 && p.Accounts == 1:
		p.Advice[0] = fmt.Sprintf("one region is enough: the peak needs %s of the %s tokens a minute of %s",
			grouped(d.Needed), grouped(p.Quota), p.Source)
	default:
		p.Advice[0] = fmt.Sprintf("enter %s%s, each with %s of its %s tokens a minute",
			list(p.entered()), inAccounts(p.Accounts), grouped(d.needs(p.Regions*p.Accounts)), grouped(p.Quota))
	}
	held := d.InFlight * float64(max(0, d.Reserved-d.Burnt))
	switch {
	case held > d.PerMinute*float64(d.Burnt):
		p.Advice[1] = fmt.Sprintf("lower max_tokens from %s towards the %s that answers take: what calls in flight reserve is most of the need",
			grouped(q.MaxTokens), grouped(q.Output))
	case d.Burndown > 1 && d.Burndown*q.Output > q.High:
		p.Advice[1] = fmt.Sprintf("ask for shorter answers first: a token of output takes %d of the quota, one of input takes 1", d.Burndown)
	default:
		p.Advice[1] = "cache what prompts have in common: what is read from a prompt cache takes nothing of the quota"
	}
}

func inAccounts(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" in %d accounts each", n)
}

func list(regions []inference.Region) string {
	words := make([]string, len(regions))
	for i, r := range regions {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}

// grouped is a number for the eye.
func grouped(n int) string { return inference.Grouped(strconv.Itoa(n)) }
