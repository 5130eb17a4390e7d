package identitypool

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"fairway/internal/wire/uuid"
)

// A guest's UUID ends in a MAC of what stands before it, its last group.
const lastGroup = 12 // digits

// identityForm is the service's pattern of an identity id, which is at most 55
// characters long (Smithy shape IdentityId).
var identityForm = regexp.MustCompile(`^[\w-]{1,18}:[0-9a-f-]{1,36}$`)

// ofLogin is the identity of an issuer's subject, always the same.
func (p *Pool) ofLogin(issuer, subject string) string {
	sum := p.mac("login", issuer, subject)
	return p.region + ":" + uuid.Of([16]byte(sum[:16]))
}

// newGuest is an identity that nobody has.
func (p *Pool) newGuest() string {
	var random [16]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	open := p.region + ":" + uuid.Of(random)
	open = open[:len(open)-lastGroup]
	return open + p.seal(open)
}

// isGuest reports whether newGuest of this pool made the identity.
func (p *Pool) isGuest(identity string) bool {
	if len(identity) < lastGroup {
		return false
	}
	cut := len(identity) - lastGroup
	return hmac.Equal([]byte(identity[cut:]), []byte(p.seal(identity[:cut])))
}

func (p *Pool) seal(open string) string {
	return hex.EncodeToString(p.mac("guest", open))[:lastGroup]
}

// mac is over the pool's id and the words. None of them holds the separator:
// identities are of a known form, and a verified issuer is one of the settings.
func (p *Pool) mac(kind string, words ...string) []byte {
	h := hmac.New(sha256.New, p.options.Secret)
	h.Write([]byte(p.options.ID + "\x00" + kind))
	for _, w := range words {
		h.Write([]byte("\x00" + w))
	}
	return h.Sum(nil)
}
