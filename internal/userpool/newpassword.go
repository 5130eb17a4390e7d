package userpool

import "context"

// askNewPassword asks a user whom an administrator added for a password of their own.
func (p *Pool) askNewPassword(u user, s step) (InitiateAuthOutput, error) {
	var lacks []string
	for _, name := range p.settings.Load().Required {
		if u.Attributes[name] == "" {
			lacks = append(lacks, "userAttributes."+name)
		}
	}
	has := u.Attributes
	if has == nil {
		has = map[string]string{}
	}
	return p.ask(s, newPasswordRequired, map[string]string{"requiredAttributes": jsonList(lacks), "userAttributes": jsonText(has)})
}

// takeNewPassword keeps the answer to NEW_PASSWORD_REQUIRED, and with it the
// attributes "userAttributes.NAME" that the user lacked.
func (p *Pool) takeNewPassword(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	password := responses["NEW_PASSWORD"]
	if password == "" {
		return InitiateAuthOutput{}, missing("NEW_PASSWORD")
	}
	settings := p.settings.Load()
	if err := settings.checkPassword("NEW_PASSWORD", password); err != nil {
		return InitiateAuthOutput{}, err
	}
	u, err := p.change(ctx, u.Sub, func(u *user) error {
		if u.Status != forceChange || u.Salt != s.Salt {
			return errSession
		}
		for _, name := range settings.Required {
			if u.Attributes[name] != "" {
				continue
			}
			if err := settings.supply(u, name, responses["userAttributes."+name]); err != nil {
				return err
			}
		}
		if err := settings.checkWhole(*u); err != nil {
			return err
		}
		p.setPassword(u, password)
		u.Status = confirmed
		return nil
	})
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	s.Salt = u.Salt
	return p.askFactor(ctx, u, s)
}
