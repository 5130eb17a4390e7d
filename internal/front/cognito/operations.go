package cognito

import (
	"maps"

	"fairway/internal/identitypool"
	"fairway/internal/userpool"
)

// operationsOf are a user pool's, those that aws-amplify calls.
func operationsOf(p *userpool.Pool) map[string]operation {
	return targets(userPoolTarget, map[string]operation{
		"AssociateSoftwareToken":           decoding(p.AssociateSoftwareToken),
		"ChangePassword":                   guessing(p.ChangePassword),
		"ConfirmForgotPassword":            guessing(p.ConfirmForgotPassword),
		"ConfirmSignUp":                    guessing(p.ConfirmSignUp),
		"DeleteUser":                       decoding(p.DeleteUser),
		"DeleteUserAttributes":             decoding(p.DeleteUserAttributes),
		"ForgotPassword":                   guessing(p.ForgotPassword),
		"GetTokensFromRefreshToken":        decoding(p.GetTokensFromRefreshToken),
		"GetUser":                          decoding(p.GetUser),
		"GetUserAttributeVerificationCode": guessing(p.GetUserAttributeVerificationCode),
		"GlobalSignOut":                    decoding(p.GlobalSignOut),
		"InitiateAuth":                     guessing(p.InitiateAuth),
		"ResendConfirmationCode":           guessing(p.ResendConfirmationCode),
		"RespondToAuthChallenge":           guessing(p.RespondToAuthChallenge),
		"RevokeToken":                      decoding(p.RevokeToken),
		"SetUserMFAPreference":             decoding(p.SetUserMFAPreference),
		"SignUp":                           guessing(p.SignUp),
		"UpdateUserAttributes":             guessing(p.UpdateUserAttributes),
		"VerifySoftwareToken":              guessing(p.VerifySoftwareToken),
		"VerifyUserAttribute":              guessing(p.VerifyUserAttribute),
	})
}

func addIdentityOperations(to map[string]operation, p *identitypool.Pool) {
	maps.Copy(to, targets(identityPoolTarget, map[string]operation{
		"GetId":                     decoding(p.GetID),
		"GetCredentialsForIdentity": decoding(p.GetCredentialsForIdentity),
	}))
}

// targets are operations by their target in place of their name.
func targets(prefix string, named map[string]operation) map[string]operation {
	all := make(map[string]operation, len(named))
	for name, op := range named {
		all[prefix+name] = op
	}
	return all
}
