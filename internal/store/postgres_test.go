//go:build unix

package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// postgresCluster is a PostgreSQL of its own in a new folder, reached over a Unix
// socket there.
type postgresCluster struct {
	once   sync.Once
	folder string
	server *exec.Cmd
	err    error
}

func (c *postgresCluster) start() (dsn string, err error) {
	c.once.Do(func() { c.err = c.run() })
	return "postgres:///postgres?user=fairway&host=" + c.folder, c.err
}

func (c *postgresCluster) run() error {
	bin, err := postgresBin()
	if err != nil {
		return err
	}
	if c.folder, err = os.MkdirTemp("", "fairway-postgres-"); err != nil {
		return err
	}
	as, err := unprivileged(c.folder)
	if err != nil {
		return err
	}
	data := filepath.Join(c.folder, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "fairway", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	initdb.SysProcAttr, initdb.Dir = as, c.folder
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, output)
	}
	c.server = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", c.folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "deadlock_timeout=10ms")
	c.server.SysProcAttr, c.server.Dir = as, c.folder
	log, err := c.server.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.server.Start(); err != nil {
		return err
	}
	return ready(log)
}

// ready reads the server's log until it says that it is, and leaves the rest to
// be thrown away.
func ready(log io.Reader) error {
	var text bytes.Buffer
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		fmt.Fprintln(&text, lines.Text())
		if strings.Contains(lines.Text(), "ready to accept connections") {
			go io.Copy(io.Discard, log)
			return nil
		}
	}
	return fmt.Errorf("postgres ended: %s", text.String())
}

func (c *postgresCluster) stop() {
	if c.server != nil && c.server.Process != nil {
		c.server.Process.Signal(syscall.SIGINT) // a fast shutdown
		c.server.Wait()
	}
	if c.folder != "" {
		os.RemoveAll(c.folder)
	}
}

// postgresBin is the folder of PostgreSQL's programs: of the newest version where
// Debian puts it, else of the one that is on the PATH.
func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("initdb is not installed (Debian: apt-get install postgresql)")
	}
	return filepath.Dir(initdb), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

// unprivileged is the user to run as, who gets the folder: PostgreSQL refuses to
// be root.
func unprivileged(folder string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(folder, uid, gid)
}
