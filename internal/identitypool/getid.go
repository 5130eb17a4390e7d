package identitypool

import (
	"context"
)

const msgNoGuests = "Unauthenticated access is not supported for this identity pool."

// GetIDInput is the service's GetIdInput. AccountId is of no use to it.
type GetIDInput struct {
	IdentityPoolID string
	Logins         map[string]string // token by issuer without scheme; none for a guest
}

// GetIDOutput is the service's GetIdResponse.
type GetIDOutput struct {
	IdentityID string `json:"IdentityId"`
}

// GetID gives the identity of a login, always the same, or a new one to a guest.
// Errors: ResourceNotFound, InvalidParameter, NotAuthorized.
func (p *Pool) GetID(ctx context.Context, in GetIDInput) (GetIDOutput, error) {
	if in.IdentityPoolID != p.options.ID {
		return GetIDOutput{}, p.notFound(in.IdentityPoolID)
	}
	l, ok, err := p.login(ctx, in.Logins)
	switch {
	case err != nil:
		return GetIDOutput{}, err
	case ok:
		return GetIDOutput{p.ofLogin(l.identity.Issuer, l.identity.Caller.ID)}, nil
	case !p.settings.Load().AllowGuests:
		return GetIDOutput{}, refuse(NotAuthorized, msgNoGuests)
	default:
		return GetIDOutput{p.newGuest()}, nil
	}
}

// notFound refuses another pool's id, which is quoted where it has the form of one.
func (p *Pool) notFound(pool string) error {
	if !identityForm.MatchString(pool) {
		return malformed("identityPoolId")
	}
	return refuse(ResourceNotFound, "IdentityPool '"+pool+"' not found.")
}

// malformed refuses an id without the form of one.
func malformed(member string) error {
	return refuse(InvalidParameter,
		"1 validation error detected: Value at '"+member+"' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+")
}
