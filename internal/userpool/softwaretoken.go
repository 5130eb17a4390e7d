package userpool

import (
	"cmp"
	"context"
	"slices"
)

// AssociateSoftwareTokenInput is AssociateSoftwareToken's request: an access token, or
// the Session of a sign-in that waits for MFA_SETUP.
type AssociateSoftwareTokenInput struct{ AccessToken, Session string }

// AssociateSoftwareTokenOutput is AssociateSoftwareToken's answer. SecretCode is in
// base32, as authenticator apps take it.
type AssociateSoftwareTokenOutput struct {
	SecretCode string
	Session    string `json:",omitempty"`
}

// AssociateSoftwareToken makes a secret for an authenticator app. It counts once
// VerifySoftwareToken has seen a code of it; until then an earlier one does.
func (p *Pool) AssociateSoftwareToken(ctx context.Context, in AssociateSoftwareTokenInput) (AssociateSoftwareTokenOutput, error) {
	if err := p.settings.Load().checkTOTPOn(); err != nil {
		return AssociateSoftwareTokenOutput{}, err
	}
	u, s, err := p.enrolling(ctx, in.AccessToken, in.Session)
	if err != nil {
		return AssociateSoftwareTokenOutput{}, err
	}
	var out AssociateSoftwareTokenOutput
	_, err = p.change(ctx, u.Sub, func(u *user) (err error) {
		out.SecretCode, err = u.startTOTP(p)
		return err
	})
	if err == nil && s != nil {
		out.Session, err = p.carry(*s, setupMFA)
	}
	if err != nil {
		return AssociateSoftwareTokenOutput{}, err
	}
	return out, nil
}

// VerifySoftwareTokenInput is VerifySoftwareToken's request, with what
// AssociateSoftwareToken was asked with, or its Session.
type VerifySoftwareTokenInput struct{ AccessToken, Session, UserCode string }

// VerifySoftwareTokenOutput is VerifySoftwareToken's answer.
type VerifySoftwareTokenOutput struct {
	Status  string // "SUCCESS"
	Session string `json:",omitempty"`
}

// VerifySoftwareToken makes the secret that was given last the user's. In a sign-in it
// is their second factor at once; else SetUserMFAPreference makes it one.
func (p *Pool) VerifySoftwareToken(ctx context.Context, in VerifySoftwareTokenInput) (VerifySoftwareTokenOutput, error) {
	err := p.settings.Load().checkTOTPOn()
	if err == nil {
		err = checkTOTP(in.UserCode)
	}
	if err != nil {
		return VerifySoftwareTokenOutput{}, err
	}
	u, s, err := p.enrolling(ctx, in.AccessToken, in.Session)
	if err != nil {
		return VerifySoftwareTokenOutput{}, err
	}
	_, err = p.change(ctx, u.Sub, func(u *user) error {
		if s != nil && u.TOTP != "" {
			return errSession // another sign-in was first
		}
		if err := u.adoptTOTP(p, in.UserCode, p.now()); err != nil {
			return err
		}
		if s != nil {
			u.prefer(softwareTokenMFA, &MFASettings{Enabled: true, PreferredMfa: true})
		}
		return nil
	})
	out := VerifySoftwareTokenOutput{Status: "SUCCESS"}
	if err == nil && s != nil {
		out.Session, err = p.carryEnrolled(*s)
	}
	if err != nil {
		return VerifySoftwareTokenOutput{}, err
	}
	return out, nil
}

// enrolling is who sets up an authenticator app: a signed-in user, or one in the
// middle of the sign-in s.
func (p *Pool) enrolling(ctx context.Context, accessToken, session string) (user, *step, error) {
	if accessToken != "" {
		u, _, err := p.authorize(ctx, accessToken)
		return u, nil, err
	}
	s, u, err := p.resumeSetup(ctx, session)
	return u, &s, err
}

// checkTOTPOn refuses where authenticator apps are no second factor.
func (s *Settings) checkTOTPOn() error {
	if s.MFA == MFAOff || !slices.Contains(s.MFAMethods, "TOTP") {
		return refuse(SoftwareTokenNotFound, "Software Token MFA has not been enabled by the userPool")
	}
	return nil
}

// MFASettings turn one second factor on or off.
type MFASettings struct{ Enabled, PreferredMfa bool }

// SetUserMFAPreferenceInput is SetUserMFAPreference's request. What is nil stays.
type SetUserMFAPreferenceInput struct {
	AccessToken              string
	SoftwareTokenMfaSettings *MFASettings
	SMSMfaSettings           *MFASettings
	EmailMfaSettings         *MFASettings // never on: the pool has no such factor
}

// SetUserMFAPreferenceOutput is SetUserMFAPreference's answer, which says nothing.
type SetUserMFAPreferenceOutput struct{}

// SetUserMFAPreference turns a signed-in user's second factors on and off.
func (p *Pool) SetUserMFAPreference(ctx context.Context, in SetUserMFAPreferenceInput) (SetUserMFAPreferenceOutput, error) {
	u, _, err := p.authorize(ctx, in.AccessToken)
	if err != nil {
		return SetUserMFAPreferenceOutput{}, err
	}
	s := p.settings.Load()
	_, err = p.change(ctx, u.Sub, func(u *user) error {
		if err := s.checkPreference(*u, in); err != nil {
			return err
		}
		u.prefer(softwareTokenMFA, in.SoftwareTokenMfaSettings)
		u.prefer(smsMFA, in.SMSMfaSettings)
		return nil
	})
	return SetUserMFAPreferenceOutput{}, err
}

// checkPreference refuses to turn on what u could not sign in with.
func (s *Settings) checkPreference(u user, in SetUserMFAPreferenceInput) error {
	off := &MFASettings{}
	totp, sms, email := cmp.Or(in.SoftwareTokenMfaSettings, off), cmp.Or(in.SMSMfaSettings, off), cmp.Or(in.EmailMfaSettings, off)
	switch {
	case totp.Enabled && u.TOTP == "":
		return refuse(InvalidParameter, "User has not verified software token mfa")
	case sms.Enabled && (!slices.Contains(s.MFAMethods, "SMS") || u.Attributes["phone_number_verified"] != "true"):
		return refuse(InvalidParameter, "User does not have delivery config set to turn on SMS_MFA")
	case email.Enabled:
		return refuse(InvalidParameter, "User does not have delivery config set to turn on EMAIL_OTP")
	case totp.PreferredMfa && sms.PreferredMfa:
		return refuse(InvalidParameter, "Only one MFA method can be preferred")
	}
	return nil
}

// prefer turns a factor on or off; nil leaves it as it is.
func (u *user) prefer(factor string, to *MFASettings) {
	if to == nil {
		return
	}
	u.MFA = slices.DeleteFunc(slices.Clone(u.MFA), func(f string) bool { return f == factor })
	if u.PreferredMFA == factor {
		u.PreferredMFA = ""
	}
	if to.Enabled {
		u.MFA = append(u.MFA, factor)
		if to.PreferredMfa {
			u.PreferredMFA = factor
		}
	}
}
