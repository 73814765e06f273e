pub mod loopback_server;
