package admin

import (
	"cmp"
	"net/http"

	"fairway/internal/inference"
	"fairway/internal/userpool"
)

// page is how many users one answer lists.
const page = 200

// pool is the embedded user pool.
func (d *Door) pool() (*userpool.Pool, error) {
	if d.Pool != nil {
		return d.Pool, nil
	}
	return nil, refuse(inference.ResourceNotFound, "users", "this server has no user pool of its own: set user_pool.enabled")
}

// listUsers answers GET /api/users?after=NAME with a page and, where more follow,
// what to ask for after.
func (d *Door) listUsers(r *http.Request) (any, error) {
	pool, err := d.pool()
	if err != nil {
		return nil, err
	}
	people, err := pool.People(r.Context(), r.URL.Query().Get("after"), page)
	if err != nil {
		return nil, err
	}
	out := struct {
		Users []userpool.Person `json:"users"`
		Next  string            `json:"next,omitempty"`
	}{Users: people}
	if len(people) == page {
		out.Next = people[page-1].Username
	}
	return out, nil
}

// addUser answers POST /api/users. A password that was made comes back with the user.
func (d *Door) addUser(r *http.Request) (any, error) {
	pool, err := d.pool()
	if err != nil {
		return nil, err
	}
	var in struct {
		Username   string            `json:"username"`
		Password   string            `json:"password"`
		Attributes map[string]string `json:"attributes"`
		Groups     []string          `json:"groups"`
		Confirmed  bool              `json:"confirmed"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	made := ""
	if in.Password == "" {
		made = pool.NewPassword()
		in.Password = made
	}
	person, err := pool.Add(r.Context(), userpool.NewPerson{
		Username: in.Username, Password: in.Password, Attributes: in.Attributes, Groups: in.Groups, Confirmed: in.Confirmed,
	})
	if err != nil {
		return nil, err
	}
	return withPassword{person, made}, nil
}

// withPassword is a user and, where one was made, the password.
type withPassword struct {
	userpool.Person
	Password string `json:"password,omitempty"`
}

func (d *Door) getUser(r *http.Request) (any, error) {
	return d.person(r, func(*userpool.Pool, string) error { return nil })
}

func (d *Door) confirmUser(r *http.Request) (any, error) {
	return d.person(r, func(p *userpool.Pool, name string) error { return p.Confirm(r.Context(), name) })
}

func (d *Door) disableUser(r *http.Request) (any, error) {
	return d.person(r, func(p *userpool.Pool, name string) error { return p.Disable(r.Context(), name, true) })
}

func (d *Door) enableUser(r *http.Request) (any, error) {
	return d.person(r, func(p *userpool.Pool, name string) error { return p.Disable(r.Context(), name, false) })
}

func (d *Door) addToGroup(r *http.Request) (any, error) {
	return d.person(r, func(p *userpool.Pool, name string) error {
		return p.AddToGroup(r.Context(), name, r.PathValue("group"))
	})
}

func (d *Door) removeFromGroup(r *http.Request) (any, error) {
	return d.person(r, func(p *userpool.Pool, name string) error {
		return p.RemoveFromGroup(r.Context(), name, r.PathValue("group"))
	})
}

// setPassword answers POST /api/users/{name}/password. A temporary password is good
// for one sign-in, at which the user chooses another. One that was made comes back.
func (d *Door) setPassword(r *http.Request) (any, error) {
	var in struct {
		Password  string `json:"password"`
		Temporary bool   `json:"temporary"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	pool, err := d.pool()
	if err != nil {
		return nil, err
	}
	made, name := "", r.PathValue("name")
	if in.Password == "" {
		made = pool.NewPassword()
	}
	if err := pool.SetPassword(r.Context(), name, cmp.Or(in.Password, made), !in.Temporary); err != nil {
		return nil, err
	}
	person, err := pool.Person(r.Context(), name)
	return withPassword{person, made}, err
}

// person changes the user that the path names and answers with it as it is then.
func (d *Door) person(r *http.Request, change func(p *userpool.Pool, name string) error) (any, error) {
	pool, err := d.pool()
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	if err := change(pool, name); err != nil {
		return nil, err
	}
	return pool.Person(r.Context(), name)
}

func (d *Door) removeUser(r *http.Request) (any, error) {
	pool, err := d.pool()
	if err != nil {
		return nil, err
	}
	return struct{}{}, pool.Remove(r.Context(), r.PathValue("name"))
}

func (d *Door) rotateSigningKey(r *http.Request) (any, error) {
	pool, err := d.pool()
	if err != nil {
		return nil, err
	}
	return struct{}{}, pool.RotateKey(r.Context())
}
