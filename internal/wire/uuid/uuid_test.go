package uuid

import (
	"regexp"
	"testing"
)

var form = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestOf(t *testing.T) {
	b := [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	if got, want := Of(b), "00112233-4455-4677-8899-aabbccddeeff"; got != want {
		t.Errorf("Of(%x) = %s, want %s", b, got, want)
	}
}

func TestNew(t *testing.T) {
	first, second := New(), New()
	if !form.MatchString(first) || first == second {
		t.Errorf("New() = %s, then %s, want two version 4 UUIDs", first, second)
	}
}
