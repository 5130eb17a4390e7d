package userpool

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"
)

// The parameters that Cognito's authenticator apps count with (RFC 6238): HMAC-SHA-1,
// six digits, steps of 30 seconds, and a clock that is wrong by one step.
const (
	totpSecretSize = 32 // bytes, as Cognito has it
	totpStep       = 30 * time.Second
	totpSkew       = 1
)

// hotp is the code of a counter (RFC 4226, section 5.3).
func hotp(secret []byte, counter int64) string {
	mac := hmac.New(sha1.New, secret)
	binary.Write(mac, binary.BigEndian, counter) // a hash never fails
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[from:]) &^ (1 << 31)
	return fmt.Sprintf("%06d", n%1_000_000)
}

// totpStepOf is the time step near now whose code this is, among those after last.
func totpStepOf(secret []byte, code string, now time.Time, last int64) (int64, bool) {
	current := now.Unix() / int64(totpStep/time.Second)
	for step := max(current-totpSkew, last+1); step <= current+totpSkew; step++ {
		if hmac.Equal([]byte(hotp(secret, step)), []byte(code)) {
			return step, true
		}
	}
	return 0, false
}

// acceptTOTP reports whether code is the one that the user's authenticator app shows,
// and remembers its time step: neither it nor an earlier one is taken again. It is for
// use in Pool.change.
func (u *user) acceptTOTP(p *Pool, code string, now time.Time) bool {
	if u.TOTP == "" {
		return false
	}
	secret, err := p.store.Reveal(totpID(u.Sub), u.TOTP)
	if err != nil {
		p.log.Error("authenticator secret cannot be read", "sub", u.Sub, "error", err)
		return false
	}
	step, ok := totpStepOf(secret, code, now, u.TOTPStep)
	if ok {
		u.TOTPStep = step
	}
	return ok
}

// startTOTP gives u a new secret, which counts once adoptTOTP has seen a code of it,
// and returns it as authenticator apps take it. It is for use in Pool.change.
func (u *user) startTOTP(p *Pool) (string, error) {
	secret := random(totpSecretSize)
	kept, err := p.store.Protect(totpID(u.Sub), secret)
	if err != nil {
		return "", failed(err)
	}
	u.PendingTOTP = kept
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), nil
}

// adoptTOTP makes the secret of startTOTP the user's, when code is one of it. Any
// other secret is forgotten. It is for use in Pool.change.
func (u *user) adoptTOTP(p *Pool, code string, now time.Time) error {
	if u.PendingTOTP == "" {
		return refuse(InvalidParameter, "Software token has not been associated")
	}
	secret, err := p.store.Reveal(totpID(u.Sub), u.PendingTOTP)
	if err != nil {
		return failed(err)
	}
	step, ok := totpStepOf(secret, code, now, 0)
	if !ok {
		return refuse(EnableSoftwareToken, "Code mismatch")
	}
	u.TOTP, u.PendingTOTP, u.TOTPStep = u.PendingTOTP, "", step
	return nil
}

// totpID is what the secret is sealed for, so that no other user's does in its place.
func totpID(sub string) string { return "totp " + sub }
