"""What is due: periodic tasks and stored schedules."""
