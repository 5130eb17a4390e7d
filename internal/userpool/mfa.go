package userpool

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// ask is the answer that sets a client a challenge.
func (p *Pool) ask(s step, challenge string, parameters map[string]string) (InitiateAuthOutput, error) {
	session, err := p.carry(s, challenge)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	parameters["USER_ID_FOR_SRP"] = s.Username
	return InitiateAuthOutput{ChallengeName: challenge, ChallengeParameters: parameters, Session: session}, nil
}

// askNewPassword asks a user whom an administrator added for a password of their own.
func (p *Pool) askNewPassword(u user, s step) (InitiateAuthOutput, error) {
	var lacks []string
	for _, name := range p.settings.Load().Required {
		if u.Attributes[name] == "" {
			lacks = append(lacks, "userAttributes."+name)
		}
	}
	attributes := maps.Clone(u.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	return p.ask(s, newPasswordRequired, map[string]string{"requiredAttributes": jsonList(lacks), "userAttributes": jsonText(attributes)})
}

// takeNewPassword keeps the answer to NEW_PASSWORD_REQUIRED, and with it the
// attributes "userAttributes.NAME" that the user lacked.
func (p *Pool) takeNewPassword(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	password := responses["NEW_PASSWORD"]
	if password == "" {
		return InitiateAuthOutput{}, missing("NEW_PASSWORD")
	}
	if err := p.checkPassword("NEW_PASSWORD", password); err != nil {
		return InitiateAuthOutput{}, err
	}
	required := p.settings.Load().Required
	u, err := p.change(ctx, u.Sub, func(u *user) error {
		if u.Status != forceChange || u.Salt != s.Salt {
			return errSession
		}
		for _, name := range required {
			if u.Attributes[name] != "" {
				continue
			}
			if err := p.supply(u, name, responses["userAttributes."+name]); err != nil {
				return err
			}
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

// factors are the second factors that u signs in with: those that are on, and where
// the pool insists on one, those that could be.
func (p *Pool) factors(u user) []string {
	s := p.settings.Load()
	if s.MFA == Off {
		return nil
	}
	var able []string
	if u.TOTP != "" && slices.Contains(s.MFAMethods, "TOTP") {
		able = append(able, softwareTokenMFA)
	}
	if u.Attributes["phone_number"] != "" && u.Attributes["phone_number_verified"] == "true" && slices.Contains(s.MFAMethods, "SMS") {
		able = append(able, smsMFA)
	}
	on := slices.DeleteFunc(slices.Clone(able), func(f string) bool { return !slices.Contains(u.MFA, f) })
	switch {
	case len(on) == 0 && s.MFA == Required:
		return able
	case slices.Contains(on, u.PreferredMFA):
		return []string{u.PreferredMFA}
	}
	return on
}

// askFactor asks for the second factor, or ends the sign-in of a user who needs none.
func (p *Pool) askFactor(ctx context.Context, u user, s step) (InitiateAuthOutput, error) {
	switch factors := p.factors(u); {
	case u.Tester:
		return p.finish(ctx, u, s)
	case len(factors) == 1:
		return p.askFor(ctx, u, s, factors[0])
	case len(factors) > 1:
		return p.ask(s, selectMFA, map[string]string{"MFAS_CAN_CHOOSE": jsonList(factors)})
	case p.settings.Load().MFA == Required && p.settings.Load().checkTOTPOn() != nil:
		return InitiateAuthOutput{}, refuse(InvalidParameter, "User does not have delivery config set to turn on SMS_MFA")
	case p.settings.Load().MFA == Required:
		return p.ask(s, setupMFA, map[string]string{"MFAS_CAN_SETUP": jsonList([]string{softwareTokenMFA})})
	}
	return p.finish(ctx, u, s)
}

// askFor asks for one factor.
func (p *Pool) askFor(ctx context.Context, u user, s step, factor string) (InitiateAuthOutput, error) {
	if factor == softwareTokenMFA {
		return p.ask(s, softwareTokenMFA, map[string]string{})
	}
	to := address{"phone_number", u.Attributes["phone_number"]}
	if err := p.canDeliver(); err != nil {
		return InitiateAuthOutput{}, err
	}
	var text string
	u, err := p.change(ctx, u.Sub, func(u *user) (err error) {
		text, err = p.newCode(u, toSignIn, to.value)
		return err
	})
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	if err := p.deliver(ctx, u, to, toSignIn, text); err != nil {
		return InitiateAuthOutput{}, err
	}
	details := to.details()
	return p.ask(s, smsMFA, map[string]string{"CODE_DELIVERY_DELIVERY_MEDIUM": details.DeliveryMedium, "CODE_DELIVERY_DESTINATION": details.Destination})
}

// toSignIn is the purpose of codes that are a second factor.
const toSignIn purpose = "sign in"

// chooseFactor takes the answer to SELECT_MFA_TYPE.
func (p *Pool) chooseFactor(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	choice := responses["ANSWER"]
	if !slices.Contains(p.factors(u), choice) {
		return InitiateAuthOutput{}, refuse(InvalidParameter, "Invalid MFA type selected.")
	}
	return p.askFor(ctx, u, s, choice)
}

// takeTOTP takes the code of an authenticator app.
func (p *Pool) takeTOTP(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	text := responses["SOFTWARE_TOKEN_MFA_CODE"]
	if text == "" {
		return InitiateAuthOutput{}, missing("SOFTWARE_TOKEN_MFA_CODE")
	}
	_, err := p.change(ctx, u.Sub, func(u *user) error {
		if !u.acceptTOTP(p, text, p.now()) {
			return errMismatch
		}
		return nil
	})
	return p.judgeFactor(ctx, u, s, err)
}

// takeSMS takes the code of a text message.
func (p *Pool) takeSMS(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	text := responses["SMS_MFA_CODE"]
	if text == "" {
		return InitiateAuthOutput{}, missing("SMS_MFA_CODE")
	}
	return p.judgeFactor(ctx, u, s, p.useCode(ctx, u, toSignIn, text, func(*user, code) {}))
}

// judgeFactor ends the sign-in of who had the right code, and counts a failure of who
// had not.
func (p *Pool) judgeFactor(ctx context.Context, u user, s step, err error) (InitiateAuthOutput, error) {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == CodeMismatch {
		return InitiateAuthOutput{}, cmp.Or(p.strike(ctx, u), error(refuse(CodeMismatch, "Invalid code received for user")))
	}
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	return p.finish(ctx, u, s)
}

// endSetup takes the answer to MFA_SETUP: that a factor was set up in this sign-in.
func (p *Pool) endSetup(ctx context.Context, s step, u user, _ map[string]string) (InitiateAuthOutput, error) {
	if !s.Enrolled {
		return InitiateAuthOutput{}, errSession
	}
	return p.finish(ctx, u, s)
}

// jsonList and jsonText are JSON within JSON, as challenge parameters have it.
func jsonList(list []string) string { return jsonText(append([]string{}, list...)) }

func jsonText(v any) string {
	text, _ := json.Marshal(v) // texts, and lists and maps of them, always have a JSON
	return string(text)
}
