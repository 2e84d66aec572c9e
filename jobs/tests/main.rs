//! Each test runs on SQLite and on PostgreSQL, by the same code. `USHER_TEST_POSTGRES` names a server on which
//! databases may be made, such as `postgres://postgres@127.0.0.1:5432/postgres`.

mod accept;
mod bench;
mod cancel;
mod end;
mod mend;
mod nodes;
mod resume;
mod speed;
mod storm;
mod work;
