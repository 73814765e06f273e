//! The verdict in every state that ECS shows, by the service and by its record, the fitness of a service, and the ends of tasks.

mod ends;
mod fitness;
mod records;
mod verdicts;
