package userpool

import "context"

// ForgotPasswordInput is ForgotPassword's request.
type ForgotPasswordInput struct{ ClientID, Username string }

// ForgotPasswordOutput is ForgotPassword's answer.
type ForgotPasswordOutput struct{ CodeDeliveryDetails CodeDeliveryDetails }

// ForgotPassword sends a code that sets another password, to a verified address. The
// answer is the same for somebody unknown and who has none, to whom nothing goes.
func (p *Pool) ForgotPassword(ctx context.Context, in ForgotPasswordInput) (ForgotPasswordOutput, error) {
	details, err := p.sendUnseen(ctx, in.ClientID, in.Username, toReset)
	return ForgotPasswordOutput{details}, err
}

// ConfirmForgotPasswordInput is ConfirmForgotPassword's request.
type ConfirmForgotPasswordInput struct{ ClientID, Username, ConfirmationCode, Password string }

// ConfirmForgotPasswordOutput is ConfirmForgotPassword's answer, which says nothing.
type ConfirmForgotPasswordOutput struct{}

// ConfirmForgotPassword sets another password by the code that was sent. The user's
// sessions end, which Cognito leaves to the app: whoever else knew the password is out.
func (p *Pool) ConfirmForgotPassword(ctx context.Context, in ConfirmForgotPasswordInput) (ConfirmForgotPasswordOutput, error) {
	err := p.checkAsker(in.ClientID, in.Username)
	if err == nil {
		err = checkCode("confirmationCode", in.ConfirmationCode)
	}
	if err == nil {
		err = p.settings.Load().checkPassword("password", in.Password)
	}
	if err != nil {
		return ConfirmForgotPasswordOutput{}, err
	}
	return ConfirmForgotPasswordOutput{}, evenly(ctx, func() error { return p.reset(ctx, in) })
}

func (p *Pool) reset(ctx context.Context, in ConfirmForgotPasswordInput) error {
	u, _, err := p.recipient(ctx, in.Username, toReset)
	if err != nil {
		return err
	}
	err = p.useCode(ctx, u, toReset, in.ConfirmationCode, func(u *user, _ code) {
		p.setPassword(u, in.Password)
		u.Status = confirmed
	})
	if err != nil {
		return err
	}
	return p.revokeAll(ctx, u.Sub)
}
