package userpool

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// factors are the second factors that u signs in with: those that are on, and where
// the pool insists on one, those that could be.
func (s *Settings) factors(u user) []string {
	if s.MFA == MFAOff {
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
	case len(on) == 0 && s.MFA == MFARequired:
		return able
	case slices.Contains(on, u.PreferredMFA):
		return []string{u.PreferredMFA}
	}
	return on
}

// askFactor asks for the second factor, or ends the sign-in of a user who needs none.
func (p *Pool) askFactor(ctx context.Context, u user, s step) (InitiateAuthOutput, error) {
	settings := p.settings.Load()
	switch factors := settings.factors(u); {
	case u.Tester:
		return p.finish(ctx, u, s)
	case len(factors) == 1:
		return p.askFor(ctx, u, s, factors[0])
	case len(factors) > 1:
		return p.ask(s, selectMFA, map[string]string{"MFAS_CAN_CHOOSE": jsonList(factors)})
	case settings.MFA != MFARequired:
		return p.finish(ctx, u, s)
	case settings.checkTOTPOn() != nil:
		return InitiateAuthOutput{}, refuse(InvalidParameter, "User does not have delivery config set to turn on SMS_MFA")
	}
	return p.ask(s, setupMFA, map[string]string{"MFAS_CAN_SETUP": jsonList([]string{softwareTokenMFA})})
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
	if !slices.Contains(p.settings.Load().factors(u), choice) {
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
	return p.afterFactor(ctx, u, s, err)
}

// takeSMS takes the code of a text message.
func (p *Pool) takeSMS(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	text := responses["SMS_MFA_CODE"]
	if text == "" {
		return InitiateAuthOutput{}, missing("SMS_MFA_CODE")
	}
	return p.afterFactor(ctx, u, s, p.useCode(ctx, u, toSignIn, text, func(*user, code) {}))
}

// afterFactor ends the sign-in of who had the right code, and counts a failure of who
// had not.
func (p *Pool) afterFactor(ctx context.Context, u user, s step, err error) (InitiateAuthOutput, error) {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == CodeMismatch {
		return InitiateAuthOutput{}, cmp.Or(p.strike(ctx, u), error(refuse(CodeMismatch, "Invalid code received for user")))
	}
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	return p.finish(ctx, u, s)
}

// endSetup takes the answer to MFA_SETUP: that a factor was set up in this sign-in.
func (p *Pool) endSetup(ctx context.Context, s step, u user) (InitiateAuthOutput, error) {
	if !s.Enrolled {
		return InitiateAuthOutput{}, errSession
	}
	return p.finish(ctx, u, s)
}
