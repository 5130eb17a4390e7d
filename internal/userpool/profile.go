package userpool

import (
	"context"
	"maps"
	"slices"
)

// GetUserInput is GetUser's request.
type GetUserInput struct{ AccessToken string }

// GetUserOutput is GetUser's answer.
type GetUserOutput struct {
	Username            string
	UserAttributes      []Attribute
	UserMFASettingList  []string `json:",omitempty"`
	PreferredMfaSetting string   `json:",omitempty"`
}

// GetUser is what a signed-in user's pool knows of them.
func (p *Pool) GetUser(ctx context.Context, in GetUserInput) (GetUserOutput, error) {
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return GetUserOutput{}, err
	}
	return GetUserOutput{u.Username, u.list(), u.MFA, u.PreferredMFA}, nil
}

// UpdateUserAttributesInput is UpdateUserAttributes's request. An attribute with an
// empty value is removed.
type UpdateUserAttributesInput struct {
	AccessToken    string
	UserAttributes []Attribute
}

// UpdateUserAttributesOutput is UpdateUserAttributes's answer.
type UpdateUserAttributesOutput struct{ CodeDeliveryDetailsList []CodeDeliveryDetails }

// pendingCode is a code that is still to be sent.
type pendingCode struct {
	to   address
	text string
}

// UpdateUserAttributes changes a signed-in user's attributes. A new address that the
// pool verifies stays the old one until the code from there has come back.
func (p *Pool) UpdateUserAttributes(ctx context.Context, in UpdateUserAttributesInput) (UpdateUserAttributesOutput, error) {
	u, codes, err := p.updateAttributes(ctx, in.AccessToken, in.UserAttributes)
	if err != nil {
		return UpdateUserAttributesOutput{}, err
	}
	out := UpdateUserAttributesOutput{CodeDeliveryDetailsList: []CodeDeliveryDetails{}}
	for _, c := range codes {
		if err := p.deliver(ctx, u, c.to, toVerify(c.to.attribute), c.text); err != nil {
			return UpdateUserAttributesOutput{}, err
		}
		out.CodeDeliveryDetailsList = append(out.CodeDeliveryDetailsList, c.to.details())
	}
	return out, nil
}

// DeleteUserAttributesInput is DeleteUserAttributes's request.
type DeleteUserAttributesInput struct {
	AccessToken        string
	UserAttributeNames []string
}

// DeleteUserAttributesOutput is DeleteUserAttributes's answer, which says nothing.
type DeleteUserAttributesOutput struct{}

// DeleteUserAttributes removes attributes of a signed-in user, as far as
// UpdateUserAttributes may. Those that they have not are removed already.
func (p *Pool) DeleteUserAttributes(ctx context.Context, in DeleteUserAttributesInput) (DeleteUserAttributesOutput, error) {
	removed := make([]Attribute, len(in.UserAttributeNames))
	for i, name := range in.UserAttributeNames {
		removed[i] = Attribute{Name: name}
	}
	_, _, err := p.updateAttributes(ctx, in.AccessToken, removed)
	return DeleteUserAttributesOutput{}, err
}

// updateAttributes changes a signed-in user's attributes and says what codes are to be
// sent for it.
func (p *Pool) updateAttributes(ctx context.Context, accessToken string, list []Attribute) (user, []pendingCode, error) {
	s := p.settings.Load()
	given, err := s.parseAttributes(list)
	if err == nil {
		err = checkWritable(given)
	}
	if err == nil {
		err = s.checkChangeable(given)
	}
	if err != nil {
		return user{}, nil, err
	}
	u, _, err := p.authorize(ctx, accessToken)
	if err != nil {
		return user{}, nil, err
	}
	var codes []pendingCode
	u, err = p.change(ctx, u.Sub, func(u *user) (err error) {
		codes, err = p.takeOn(u, given, s)
		return err
	})
	return u, codes, err
}

// takeOn gives u new attributes, and codes for those that wait for one.
func (p *Pool) takeOn(u *user, given map[string]string, s *Settings) (codes []pendingCode, err error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := given[name]
		delete(u.Codes, toVerify(name)) // the code of an earlier change of mind
		if u.Attributes[name] == value {
			continue
		}
		if value != "" && s.verifies(name) {
			if err := p.canDeliver(); err != nil {
				return nil, err
			}
			text, err := p.newCode(u, toVerify(name), value)
			if err != nil {
				return nil, err
			}
			codes = append(codes, pendingCode{address{name, value}, text})
			continue
		}
		u.set(name, value)
	}
	if err := s.checkWhole(*u); err != nil {
		return nil, err
	}
	return codes, s.checkRemovals(given)
}

// VerifyUserAttributeInput is VerifyUserAttribute's request.
type VerifyUserAttributeInput struct{ AccessToken, AttributeName, Code string }

// VerifyUserAttributeOutput is VerifyUserAttribute's answer, which says nothing.
type VerifyUserAttributeOutput struct{}

// VerifyUserAttribute verifies a signed-in user's address by the code that went there,
// and makes it theirs when it is a new one. It is AliasExists when by now another user
// signs in by it.
func (p *Pool) VerifyUserAttribute(ctx context.Context, in VerifyUserAttributeInput) (VerifyUserAttributeOutput, error) {
	if err := checkReachable(in.AttributeName); err != nil {
		return VerifyUserAttributeOutput{}, err
	}
	if err := checkCode("code", in.Code); err != nil {
		return VerifyUserAttributeOutput{}, err
	}
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return VerifyUserAttributeOutput{}, err
	}
	return VerifyUserAttributeOutput{}, p.useCode(ctx, u, toVerify(in.AttributeName), in.Code, func(u *user, c code) {
		if u.Attributes[in.AttributeName] != c.To {
			u.set(in.AttributeName, c.To)
		}
		u.Attributes[in.AttributeName+"_verified"] = "true"
		p.settings.Load().nameBy(u)
	})
}

// GetUserAttributeVerificationCodeInput is the request of the operation of that name.
type GetUserAttributeVerificationCodeInput struct{ AccessToken, AttributeName string }

// GetUserAttributeVerificationCodeOutput is its answer.
type GetUserAttributeVerificationCodeOutput struct{ CodeDeliveryDetails CodeDeliveryDetails }

// GetUserAttributeVerificationCode sends a signed-in user a code for an address: the
// new one that waits for it, else the one that they have.
func (p *Pool) GetUserAttributeVerificationCode(ctx context.Context, in GetUserAttributeVerificationCodeInput) (GetUserAttributeVerificationCodeOutput, error) {
	err := checkReachable(in.AttributeName)
	if err == nil {
		err = p.canDeliver()
	}
	if err != nil {
		return GetUserAttributeVerificationCodeOutput{}, err
	}
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return GetUserAttributeVerificationCodeOutput{}, err
	}
	to, text, what := address{attribute: in.AttributeName}, "", toVerify(in.AttributeName)
	u, err = p.change(ctx, u.Sub, func(u *user) (err error) {
		if to.value = u.Codes[what].To; to.value == "" {
			to.value = u.Attributes[in.AttributeName]
		}
		if to.value == "" {
			return refuse(InvalidParameter, "User has no attribute "+in.AttributeName)
		}
		text, err = p.newCode(u, what, to.value)
		return err
	})
	if err == nil {
		err = p.deliver(ctx, u, to, what, text)
	}
	if err != nil {
		return GetUserAttributeVerificationCodeOutput{}, err
	}
	return GetUserAttributeVerificationCodeOutput{to.details()}, nil
}

func checkReachable(name string) error {
	if !reachable(name) {
		return refuse(InvalidParameter, "Attribute is not verifiable: "+clip(name, 64))
	}
	return nil
}

// DeleteUserInput is DeleteUser's request.
type DeleteUserInput struct{ AccessToken string }

// DeleteUserOutput is DeleteUser's answer, which says nothing.
type DeleteUserOutput struct{}

// DeleteUser removes a signed-in user, and ends their sessions.
func (p *Pool) DeleteUser(ctx context.Context, in DeleteUserInput) (DeleteUserOutput, error) {
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return DeleteUserOutput{}, err
	}
	return DeleteUserOutput{}, p.remove(ctx, u.Sub)
}

func (p *Pool) remove(ctx context.Context, sub string) error {
	if _, err := p.store.DeleteUser(ctx, p.ID(), sub); err != nil {
		return failed(err)
	}
	return failed(p.readRevoked(ctx))
}
