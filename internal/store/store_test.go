package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// TestConformance holds every database to the same behaviour.
func TestConformance(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(*testing.T, *Store)
			}{
				{"create", testCreate},
				{"token", testToken},
				{"name", testName},
				{"quota", testQuota},
				{"rivals", testRivals},
				{"list and delete", testListAndDelete},
				{"tags", testTags},
				{"tags at once", testTagsAtOnce},
				{"recent", testRecent},
				{"access keys", testAccessKeys},
				{"bearer keys", testBearerKeys},
				{"API keys", testAPIKeys},
				{"replaced keys", testReplacedKeys},
				{"one key name at once", testOneKeyNameAtOnce},
				{"changes of keys", testKeysChanged},
				{"pool", testPool},
				{"users", testUsers},
				{"one name at once", testOneNameAtOnce},
				{"one alias at once", testOneAliasAtOnce},
				{"update user", testUpdateUser},
				{"updates at once", testUpdatesAtOnce},
				{"swapped aliases", testSwappedAliases},
				{"delete user", testDeleteUser},
				{"texts that no database keeps", testUnstorable},
				{"sessions", testSessions},
				{"refresh tokens", testRefreshTokens},
				{"one refresh token at once", testOneRefreshTokenAtOnce},
				{"revoked sessions", testRevokedSessions},
				{"many refresh tokens", testManyRefreshTokens},
				{"signing keys", testSigningKeys},
				{"secret", testSecret},
				{"canceled", testCanceled},
				{"closed", testClosed},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t, d.fresh(t))) })
			}
		})
	}
}

// team is an application profile as a caller asks for it.
func team() inference.Application {
	return inference.Application{
		Account: "123456789012", Region: "ap-southeast-1", Name: "team-a", Description: "for 'team' A; naïve",
		CopiedFrom: "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.anthropic.claude-sonnet-4-20250514-v1:0",
		Token:      "token-1", Tags: map[string]string{"cost": "a\"b", "team": ""},
	}
}

func create(t *testing.T, s *Store, a inference.Application) inference.Application {
	t.Helper()
	created, err := s.CreateApplication(t.Context(), a)
	if err != nil {
		t.Fatalf("CreateApplication(%s) = %v", a.Name, err)
	}
	return created
}

func wantKind(t *testing.T, what string, err error, want inference.Kind) {
	t.Helper()
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != want {
		t.Errorf("%s = %v, want %s", what, err, want)
	}
}

func testCreate(t *testing.T, s *Store) {
	got := create(t, s, team())
	want := team()
	want.ID = got.ID
	want.Created, want.Updated = got.Created, got.Created
	if diff := cmp.Diff(want, got); diff != "" || !inference.IsApplicationID(got.ID) || got.Created.Before(began) {
		t.Errorf("CreateApplication() = %+v (-want +got):\n%s", got, diff)
	}
	read, ok, err := s.Application(t.Context(), got.ARN())
	if diff := cmp.Diff(got, read); diff != "" || !ok || err != nil {
		t.Errorf("Application(%s) = %v, %v (-want +got):\n%s", got.ARN(), ok, err, diff)
	}
	elsewhere := inference.ApplicationARN("us-east-1", got.Account, got.ID)
	if _, ok, err := s.Application(t.Context(), elsewhere); ok || err != nil {
		t.Errorf("Application(%s) = %v, %v, want none", elsewhere, ok, err)
	}
}

func testToken(t *testing.T, s *Store) {
	first := create(t, s, team())
	again := team()
	again.Name = "another"
	if got := create(t, s, again); got.ID != first.ID || got.Name != first.Name {
		t.Errorf("CreateApplication() with the same token = %+v, want the first", got)
	}
	for range 2 { // no token is no request to repeat
		a := team()
		a.Token, a.Name = "", t.Name()+newApplicationID()
		if got := create(t, s, a); got.ID == first.ID {
			t.Errorf("CreateApplication() without a token = the first profile, want a new one")
		}
	}
	a := team()
	a.Region = "us-east-1"
	if got := create(t, s, a); got.ID == first.ID {
		t.Errorf("CreateApplication() in another region = the first profile, want a new one")
	}
}

func testName(t *testing.T, s *Store) {
	create(t, s, team())
	a := team()
	a.Token = "token-2"
	_, err := s.CreateApplication(t.Context(), a)
	wantKind(t, "CreateApplication() with a name that is taken", err, inference.Conflict)
	a.Account = "999999999999"
	create(t, s, a)
}

func testQuota(t *testing.T, s *Store) {
	fill(t, s, maxApplications)
	first := team()
	first.Token, first.Name = "token-0", "profile 0"
	create(t, s, first) // repeated, not new
	one := team()
	one.Token = ""
	_, err := s.CreateApplication(t.Context(), one)
	wantKind(t, "CreateApplication() past the limit", err, inference.ServiceQuotaExceeded)
	a := team()
	a.Region = "us-east-1"
	create(t, s, a)
}

// fill keeps n profiles in one transaction.
func fill(t *testing.T, s *Store, n int) {
	t.Helper()
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for i := range n {
		a := team()
		a.ID = fmt.Sprintf("%012d", i)
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO application_profiles VALUES ($1, $2, $3, $4, $5, '', $6, $7, '{}', 1, 1)`,
			a.ARN(), a.ID, a.Account, a.Region, fmt.Sprintf("profile %d", i), a.CopiedFrom, fmt.Sprintf("token-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// testRivals: of requests with one token that come at once, one creates.
func testRivals(t *testing.T, s *Store) {
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			a, err := s.CreateApplication(t.Context(), team())
			if err != nil {
				t.Errorf("CreateApplication() = %v", err)
			}
			ids[i] = a.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("CreateApplication() with one token at once = %q, want one profile", ids)
			break
		}
	}
}

func testListAndDelete(t *testing.T, s *Store) {
	var want []inference.Application
	for _, name := range []string{"b", "a", "c"} {
		a := team()
		a.Name, a.Token = name, "token-"+name
		want = append(want, create(t, s, a))
	}
	want[0], want[1] = want[1], want[0] // by name
	got, err := s.Applications(t.Context(), "123456789012", "ap-southeast-1")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Applications() = %v (-want +got):\n%s", err, diff)
	}
	for _, where := range [][2]string{{"123456789012", "us-east-1"}, {"999999999999", "ap-southeast-1"}} {
		if got, err := s.Applications(t.Context(), where[0], inference.Region(where[1])); len(got) != 0 || err != nil {
			t.Errorf("Applications(%s) = %v, %v, want none", where, got, err)
		}
	}
	for _, want := range []bool{true, false} {
		if got, err := s.DeleteApplication(t.Context(), got[0].ARN()); got != want || err != nil {
			t.Errorf("DeleteApplication() = %v, %v, want %v", got, err, want)
		}
	}
	if _, ok, err := s.Application(t.Context(), got[0].ARN()); ok || err != nil {
		t.Errorf("Application() of a deleted one = %v, %v, want none", ok, err)
	}
	a := team()
	a.Name, a.Token = "a", "token-a"
	if again := create(t, s, a); again.ID == got[0].ID {
		t.Errorf("CreateApplication() after a delete = the deleted profile")
	}
}

func testTags(t *testing.T, s *Store) {
	a := create(t, s, team())
	check := func(what string, want map[string]string) {
		t.Helper()
		got, _, err := s.Application(t.Context(), a.ARN())
		if !maps.Equal(got.Tags, want) || err != nil {
			t.Errorf("tags after %s = %q, %v, want %q", what, got.Tags, err, want)
		}
		if !got.Updated.After(a.Updated) || !got.Created.Equal(a.Created) {
			t.Errorf("times after %s = %v and %v, want only an update after %v", what, got.Created, got.Updated, a.Updated)
		}
		a = got
	}
	must := func(ok bool, err error) {
		t.Helper()
		if !ok || err != nil {
			t.Errorf("changing tags = %v, %v", ok, err)
		}
	}
	must(s.TagApplication(t.Context(), a.ARN(), map[string]string{"team": "a", "new": "1"}))
	check("TagApplication", map[string]string{"cost": "a\"b", "team": "a", "new": "1"})
	must(s.UntagApplication(t.Context(), a.ARN(), []string{"cost", "absent", "new"}))
	check("UntagApplication", map[string]string{"team": "a"})

	many := map[string]string{}
	for i := range maxTags {
		many[fmt.Sprint(i)] = ""
	}
	_, err := s.TagApplication(t.Context(), a.ARN(), many)
	wantKind(t, "TagApplication() with too many", err, inference.TooManyTags)
	must(s.UntagApplication(t.Context(), a.ARN(), []string{"team"}))
	must(s.TagApplication(t.Context(), a.ARN(), many))

	nowhere := inference.ApplicationARN(a.Region, a.Account, "000000000000")
	for what, do := range map[string]func() (bool, error){
		"TagApplication":   func() (bool, error) { return s.TagApplication(t.Context(), nowhere, many) },
		"UntagApplication": func() (bool, error) { return s.UntagApplication(t.Context(), nowhere, []string{"a"}) },
	} {
		if ok, err := do(); ok || err != nil {
			t.Errorf("%s() of no profile = %v, %v, want false", what, ok, err)
		}
	}
}

// testTagsAtOnce: no tag of several writers is lost.
func testTagsAtOnce(t *testing.T, s *Store) {
	a := create(t, s, team())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := s.TagApplication(t.Context(), a.ARN(), map[string]string{fmt.Sprint(i): ""}); err != nil {
				t.Errorf("TagApplication() = %v", err)
			}
		})
	}
	all.Wait()
	if got, _, err := s.Application(t.Context(), a.ARN()); len(got.Tags) != 8+len(a.Tags) || err != nil {
		t.Errorf("tags = %q, %v, want those of all writers", got.Tags, err)
	}
}

// testRecent: what this server changes is seen at once, what another does within
// five seconds.
func testRecent(t *testing.T, s *Store) {
	elapsed := time.Duration(0)
	s.now = func() time.Time { return began.Add(elapsed) }
	a := create(t, s, team())
	check := func(when string, want bool, tag string) {
		t.Helper()
		got, ok, err := s.Recent().Application(t.Context(), a.ARN())
		if ok != want || err != nil || got.Tags["team"] != tag {
			t.Errorf("Application() %s = %+v, %v, %v, want %v with the tag %q", when, got, ok, err, want, tag)
		}
	}
	check("of a new profile", true, "")
	if _, err := s.TagApplication(t.Context(), a.ARN(), map[string]string{"team": "b"}); err != nil {
		t.Fatal(err)
	}
	check("after a tag", true, "b")
	if _, err := s.write.ExecContext(t.Context(), `DELETE FROM application_profiles`); err != nil { // as another server does
		t.Fatal(err)
	}
	elapsed = freshFor - 1
	check("just after another server deleted it", true, "b")
	elapsed = freshFor
	check("five seconds after", false, "")

	a = create(t, s, team())
	check("of a second profile", true, "")
	if _, err := s.DeleteApplication(t.Context(), a.ARN()); err != nil {
		t.Fatal(err)
	}
	check("after its deletion", false, "")
}

// TestRecentKeepsNoOldReading: a reading that a change overtook is not kept, and
// what is kept has a bound.
func TestRecentKeepsNoOldReading(t *testing.T) {
	r := open(t, memory).Recent()
	r.forget("a")
	r.keep("a", recent{until: began}, 0)
	if len(r.read) != 0 {
		t.Errorf("%d readings are kept, want none from before a change", len(r.read))
	}
	for i := range maxRecent + 1 {
		r.keep(inference.ARN(fmt.Sprint(i)), recent{}, 1)
	}
	if len(r.read) != 1 {
		t.Errorf("%d readings are kept, want the bound to hold", len(r.read))
	}
}

// testCanceled: a caller who went away does no harm to the next, not even where
// the connection is the database.
func testCanceled(t *testing.T, s *Store) {
	a := create(t, s, team())
	_, _, err := s.Application(canceled(t), a.ARN())
	wantKind(t, "Application() of a caller who went away", err, inference.Canceled)
	_, err = s.DeleteApplication(canceled(t), a.ARN())
	wantKind(t, "DeleteApplication() of a caller who went away", err, inference.Canceled)
	if _, ok, err := s.Application(t.Context(), a.ARN()); !ok || err != nil {
		t.Errorf("Application() of the next caller = %v, %v, want the profile", ok, err)
	}
}

func testClosed(t *testing.T, s *Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping() = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "Ping() when closed", s.Ping(t.Context()), inference.ServiceUnavailable)
	_, _, err := s.Application(t.Context(), team().ARN())
	wantKind(t, "Application() when closed", err, inference.ServiceUnavailable)
}

// TestOpenAgain: what was kept is there after a restart, and servers that start
// at once do the migrations once.
func TestOpenAgain(t *testing.T) {
	for _, d := range databases {
		if d.name == "memory" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			dsn := d.fresh(t)
			var all sync.WaitGroup
			servers := make([]*Store, 4)
			for i := range servers {
				all.Go(func() {
					var err error
					if servers[i], err = Open(t.Context(), dsn, Options{}); err != nil {
						t.Errorf("Open() of server %d = %v", i, err)
					}
				})
			}
			all.Wait()
			if t.Failed() {
				return
			}
			a := create(t, servers[0], team())
			for i, s := range servers {
				if _, ok, err := s.Application(t.Context(), a.ARN()); !ok || err != nil {
					t.Errorf("Application() of server %d = %v, %v, want what server 0 created", i, ok, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			s := open(t, dsn)
			if _, ok, err := s.Application(t.Context(), a.ARN()); !ok || err != nil {
				t.Errorf("Application() after a restart = %v, %v, want it kept", ok, err)
			}
			var steps int
			if err := s.read.QueryRow(`SELECT COUNT(*) FROM fairway_migrations`).Scan(&steps); steps != 10 || err != nil {
				t.Errorf("migrations = %d, %v, want each once", steps, err)
			}
		})
	}
}

// TestServersAgree: servers that start at once have one pool and one secret.
func TestServersAgree(t *testing.T) {
	for _, d := range databases {
		if d.name == "memory" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			dsn := d.fresh(t)
			var all sync.WaitGroup
			pools, secrets := make([]Pool, 6), make([]string, 6)
			for i := range pools {
				all.Go(func() {
					s, err := Open(t.Context(), dsn, Options{MasterKey: master})
					if err != nil {
						t.Errorf("Open() of server %d = %v", i, err)
						return
					}
					defer s.Close()
					own := fmt.Sprint(i)
					if pools[i], err = s.Pool(t.Context(), "us-east-1", func() Pool { return Pool{ID: "us-east-1_" + own, ClientID: own} }); err != nil {
						t.Errorf("Pool() of server %d = %v", i, err)
					}
					secret, err := s.Secret(t.Context(), "sessions", func() []byte { return []byte(own) })
					if err != nil {
						t.Errorf("Secret() of server %d = %v", i, err)
					}
					secrets[i] = string(secret)
				})
			}
			all.Wait()
			for i := range pools {
				if pools[i] != pools[0] || pools[i].ID == "" || secrets[i] != secrets[0] || secrets[i] == "" {
					t.Fatalf("servers have %+v and %q, want one pool and one secret", pools, secrets)
				}
			}
		})
	}
}

// TestMigrateKeepsKeys: keys that an older server kept are as they were.
func TestMigrateKeepsKeys(t *testing.T) {
	for _, d := range databases {
		if d.name == "memory" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			dsn := d.fresh(t)
			older(t, dsn, 2, `INSERT INTO bearer_keys VALUES ('hash', 'ci', 'p', 1000, 0)`,
				`INSERT INTO access_keys VALUES ('A', '', 'p', 1000, 0, FALSE)`, `INSERT INTO access_keys VALUES ('B', '', 'p', 2000, 0, TRUE)`)
			s := open(t, dsn)
			bearers, err := s.BearerKeys(t.Context())
			if diff := cmp.Diff([]BearerKey{{Hash: "hash", Name: "ci", Principal: "p", Created: time.Unix(1, 0).UTC()}}, bearers); diff != "" || err != nil {
				t.Errorf("BearerKeys() = %v (-want +got):\n%s", err, diff)
			}
			access, err := s.AccessKeys(t.Context())
			if diff := cmp.Diff([]AccessKey{
				{ID: "A", Principal: "p", Created: time.Unix(1, 0).UTC()}, {ID: "B", Principal: "p", Created: time.Unix(2, 0).UTC(), Disabled: true},
			}, access); diff != "" || err != nil {
				t.Errorf("AccessKeys() = %v (-want +got):\n%s", err, diff)
			}
			for _, taken := range []string{"ci", "B"} {
				wantKind(t, "AddAPIKey() named "+taken, s.AddAPIKey(t.Context(), APIKey{Hash: "new", Name: taken}), inference.Conflict)
			}
		})
	}
}

// older makes a database of a server that knew so many migrations, and runs the
// statements on it.
func older(t *testing.T, dsn string, known int, statements ...string) {
	t.Helper()
	d, err := dialectOf(dsn)
	if err != nil {
		t.Fatal(err)
	}
	write, read, err := d.open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	tx, err := write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	all, err := migrations(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t.Context(), tx, all[:known], began); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenNewer: a schema of a newer server is left alone.
func TestOpenNewer(t *testing.T) {
	for _, d := range databases {
		if d.name == "memory" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			dsn := d.fresh(t)
			s := open(t, dsn)
			if _, err := s.write.Exec(`INSERT INTO fairway_migrations VALUES (99, 'later', 0)`); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), dsn, Options{})
			if err == nil || !strings.Contains(err.Error(), "the schema is version 99") || !strings.Contains(err.Error(), "start a newer server") {
				t.Errorf("Open() = %v, want it to ask for a newer server", err)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	const password = "hunter2secret"
	for dsn, want := range map[string]string{
		"mysql://u:" + password + "@localhost/db":                      "the kind of database is not known",
		"postgres://u:" + password + "@localhost:notaport/db":          "the postgres URL cannot be read",
		"postgres://u:" + password + "@[::1/db":                        "the postgres URL cannot be read",
		"postgres://u:" + password + "@127.0.0.1:1/db?sslmode=disable": "refused",
		"sqlite:" + filepath.Join(t.TempDir(), "no", "folder", "x.db"): "open store",
	} {
		s, err := Open(t.Context(), dsn, Options{})
		if s != nil || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("Open(%q) = %v, %v, want an error with %q and without the password", dsn, s, err, want)
		}
	}
	if _, err := Open(t.Context(), memory, Options{MasterKey: []byte("short")}); !errors.Is(err, errMasterSize) {
		t.Errorf("Open() with a short master key = %v, want %v", err, errMasterSize)
	}
	if _, err := Open(canceled(t), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open() of a caller who went away = %v, want %v", err, context.Canceled)
	}
}

// TestSQLiteIsDurable: the settings that a crash and a second process need.
func TestSQLiteIsDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, "sqlite:"+path)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		var got string
		if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); got != want || err != nil {
			t.Errorf("PRAGMA %s = %s, %v, want %s", pragma, got, err, want)
		}
	}
	if _, err := s.read.Exec(`DELETE FROM access_keys`); err == nil {
		t.Error("a reader wrote, want it refused")
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not where it was asked for: %v", err)
	}
}

func TestMigrationsAreNumbered(t *testing.T) {
	all, err := migrations(files)
	if err != nil || len(all) != 10 || all[0].name != "0001_application_profiles" {
		t.Errorf("migrations() = %v, %v", all, err)
	}
}

func BenchmarkApplication(b *testing.B) {
	for _, dsn := range []string{memory, "sqlite:" + filepath.Join(b.TempDir(), "x.db")} {
		kind, _, _ := strings.Cut(dsn, "/")
		b.Run(strings.Trim(kind, ":"), func(b *testing.B) {
			s, err := Open(b.Context(), dsn, Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			a, err := s.CreateApplication(b.Context(), team())
			if err != nil {
				b.Fatal(err)
			}
			arn := a.ARN()
			for name, read := range map[string]func(context.Context, inference.ARN) (inference.Application, bool, error){
				"read": s.Application, "recent": s.Recent().Application,
			} {
				b.Run(name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if _, ok, err := read(b.Context(), arn); !ok || err != nil {
							b.Fatal(ok, err)
						}
					}
				})
			}
		})
	}
}
