//! The verdict in every state that ECS shows, the fitness of a service, and the ends of tasks.

mod ends;
mod fitness;
mod verdicts;
