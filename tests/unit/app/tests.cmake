unit_test(app/leadership simworld app)
