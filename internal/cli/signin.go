package cli

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fairway/internal/outputs"
	"fairway/internal/srp"
)

// signIn gives an access token of a user, by SRP: the password does not leave this
// process. The error says where another challenge follows, for nobody is there to
// answer it.
func signIn(ctx context.Context, pool outputs.UserPool, user outputs.User) (string, error) {
	client := srp.NewClient()
	var started challenge
	err := cognito(ctx, pool.Endpoint, "InitiateAuth", map[string]any{
		"AuthFlow": "USER_SRP_AUTH", "ClientId": pool.ClientID,
		"AuthParameters": map[string]string{"USERNAME": user.Username, "SRP_A": client.A()},
	}, &started)
	if err != nil {
		return "", err
	}
	if started.ChallengeName != "PASSWORD_VERIFIER" {
		return "", fmt.Errorf("sign in: the pool asks for %s, which this command cannot answer", started.ChallengeName)
	}
	asked := started.ChallengeParameters
	block, err := base64.StdEncoding.DecodeString(asked["SECRET_BLOCK"])
	if err != nil {
		return "", fmt.Errorf("sign in: read SECRET_BLOCK: %w", err)
	}
	_, poolName, _ := strings.Cut(pool.ID, "_")
	claim := srp.Claim{Pool: poolName, User: asked["USER_ID_FOR_SRP"], Block: block, Timestamp: time.Now().UTC().Format(srp.TimestampForm)}
	signature, err := client.Answer(user.Password, asked["SALT"], asked["SRP_B"], claim)
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	var signedIn challenge
	err = cognito(ctx, pool.Endpoint, "RespondToAuthChallenge", map[string]any{
		"ChallengeName": "PASSWORD_VERIFIER", "ClientId": pool.ClientID, "Session": started.Session,
		"ChallengeResponses": map[string]string{
			"USERNAME": claim.User, "PASSWORD_CLAIM_SECRET_BLOCK": asked["SECRET_BLOCK"],
			"TIMESTAMP": claim.Timestamp, "PASSWORD_CLAIM_SIGNATURE": signature,
		},
	}, &signedIn)
	switch {
	case err != nil:
		return "", err
	case signedIn.AuthenticationResult == nil:
		return "", fmt.Errorf("sign in: the pool asks %s for %s too, which this command cannot answer", user.Username, signedIn.ChallengeName)
	}
	return signedIn.AuthenticationResult.AccessToken, nil
}

// challenge is an answer of InitiateAuth and RespondToAuthChallenge.
type challenge struct {
	ChallengeName        string
	ChallengeParameters  map[string]string
	Session              string `json:",omitempty"`
	AuthenticationResult *struct{ AccessToken string }
}

// cognito asks a user pool to do one operation.
func cognito(ctx context.Context, endpoint, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := roundTrip(ctx, http.MethodPost, endpoint+"/", body, func(req *http.Request) error {
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		return nil
	})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if answer.status != http.StatusOK {
		var e struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		_ = json.Unmarshal(answer.body, &e)
		return fmt.Errorf("sign in: HTTP %d %s: %s", answer.status, cmp.Or(e.Type, "error"), cmp.Or(e.Message, "the server has no user pool"))
	}
	return json.Unmarshal(answer.body, out)
}
